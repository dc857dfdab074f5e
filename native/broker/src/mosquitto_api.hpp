// mosquitto's headers, which know neither C++ nor -fvisibility=hidden: that would hide from it the functions
// that it looks for in a plugin.
#pragma once

#include <cstdbool>
#include <cstddef>
#include <cstdint>
#include <ctime>

// clang-format off: the second needs the first.
#pragma GCC visibility push(default)
extern "C" {
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
}
#pragma GCC visibility pop
// clang-format on
