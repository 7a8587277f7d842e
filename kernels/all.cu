// Every kernel, as one image.
#include "ceiling.cu"
#include "episodes.cu"
#include "es_update.cu"
#include "mazes.cu"
#include "network_exact.cu"
#include "network_fast.cu"
#include "rollout_exact.cu"
#include "rollout_fast.cu"
