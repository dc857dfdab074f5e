// The two halves of the flute addon.
#pragma once

#include <napi.h>

namespace streamverse::flute {

void InitReceiver(Napi::Env env, Napi::Object exports);
void InitSender(Napi::Env env, Napi::Object exports);

}  // namespace streamverse::flute
