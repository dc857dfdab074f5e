// The flute addon: receiver and sender in one module. Nothing here is global; each environment has its own
// classes.
#include <napi.h>

#include "flute/src/binding.hpp"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
    streamverse::flute::InitReceiver(env, exports);
    streamverse::flute::InitSender(env, exports);
    return exports;
}

}  // namespace

NODE_API_MODULE(flute, Init)
