// The parts of the addon.
#pragma once

#include <napi.h>

#include <stdexcept>

#include "binding/value.hpp"
#include "link/src/datagram_batch.hpp"
#include "link/src/link_decoder.hpp"
#include "link/src/link_encoder.hpp"
#include "packet/src/endpoint.hpp"

namespace streamverse::link {

inline constexpr char kArgument[] = "NATIVE_LINK_ARGUMENT";
inline constexpr char kClosed[] = "NATIVE_LINK_CLOSED";

// Turns what the cores throw into errors with a code.
template <typename Work>
auto Guarded(Napi::Env env, Work&& work) {
    try {
        return work();
    } catch (const packet::SystemError& error) {
        throw binding::CodedError(env, error.code(), error.what());
    } catch (const std::invalid_argument& error) {
        throw binding::CodedError(env, kArgument, error.what());
    } catch (const std::bad_alloc&) {
        throw binding::CodedError(env, "NATIVE_PACKET_LIMIT", "no memory for the link");
    }
}

// What native-options.ts makes.
EncoderOptions ReadEncoderOptions(const binding::Arguments& from);
Selection ReadSelection(const binding::Arguments& from);
size_t ReadFrameBytes(const binding::Arguments& from);
packet::Endpoint ReadEndpoint(const binding::Arguments& from);

// A Uint8Array's bytes, valid until control returns to JavaScript.
Bytes ReadBytes(const Napi::CallbackInfo& info, size_t index);

Napi::Object ToObject(Napi::Env env, const LayerTotals& totals);
Napi::Object ToObject(Napi::Env env, const DecoderTotals& totals);
Napi::Object ToObject(Napi::Env env, const DatagramBatch& batch);
Napi::Object ContentsOf(Napi::Env env, const LinkDecoder& decoder);

void RegisterEncapsulator(Napi::Env env, Napi::Object exports);
void RegisterDecapsulator(Napi::Env env, Napi::Object exports);
void RegisterCoders(Napi::Env env, Napi::Object exports);

}  // namespace streamverse::link
