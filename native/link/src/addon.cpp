#include "link/src/binding.hpp"

namespace streamverse::link {
namespace {

Napi::Value DamageKinds(const Napi::CallbackInfo& info) {
    Napi::Array list = Napi::Array::New(info.Env(), kDamageNames.size());
    for (uint32_t kind = 0; kind < kDamageNames.size(); ++kind) {
        list.Set(kind, std::string(kDamageNames[kind]));
    }
    return list;
}

}  // namespace

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
    exports.Set("damageKinds", Napi::Function::New(env, DamageKinds, "damageKinds"));
    RegisterEncapsulator(env, exports);
    RegisterDecapsulator(env, exports);
    RegisterCoders(env, exports);
    return exports;
}

NODE_API_MODULE(link, Init)

}  // namespace streamverse::link
