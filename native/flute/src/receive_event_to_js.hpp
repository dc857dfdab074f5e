#pragma once

#include <napi.h>

#include <vector>

#include "flute/src/receive_event.hpp"

namespace streamverse::flute {

// The FluteEvent objects of receiver-event.ts.
[[nodiscard]] Napi::Array EventsToJs(Napi::Env env, const std::vector<ReceiveEvent>& events);

}  // namespace streamverse::flute
