// Every kernel, as one image.
// Instrumented, it compiles for a quarter of an hour.
#ifndef WITHOUT_BATTERY
#include "battery.cu"
#endif
#include "ceiling.cu"
#include "column.cu"
#include "column_whole.cu"
#include "column_wiring.cu"
#include "episodes.cu"
#include "es_update.cu"
#include "gratings.cu"
#include "mazes.cu"
#include "network_exact.cu"
#include "network_fast.cu"
#include "network_rule.cu"
#include "rollout_exact.cu"
#include "rollout_fast.cu"
#include "synaptogen.cu"
#include "synaptogen_dqn.cu"
#include "synaptogen_growth.cu"
#include "synaptogen_law.cu"
#include "synaptogen_population.cu"
#include "worlds.cu"
