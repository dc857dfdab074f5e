// The classes of the modem addon.
#pragma once

#include <napi.h>

namespace streamverse::modem {

inline constexpr const char* kArgumentCode = "NATIVE_MODEM_ARGUMENT";
inline constexpr const char* kInputCode = "NATIVE_MODEM_INPUT";
inline constexpr const char* kOutputCode = "NATIVE_MODEM_OUTPUT";

Napi::Function DefineModulator(Napi::Env env);
Napi::Function DefineReceiver(Napi::Env env);

}  // namespace streamverse::modem
