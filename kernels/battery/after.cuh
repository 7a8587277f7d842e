// What follows a control step; twin of src/battery/play.rs.
#pragma once
#include <stdint.h>

namespace battery {

enum class After : uint32_t {
    NEXT,
    FORGET,  // the next one; an amnesic animal has forgotten everything by then
    OVER,
};

}  // namespace battery
