// PacketReceiver and PacketSender for JavaScript. Datagrams cross in batches, never one by one.
#include <napi.h>

#include <memory>
#include <utility>

#include "binding/thread_owner.hpp"
#include "binding/value.hpp"
#include "packet/src/receive_thread.hpp"
#include "packet/src/send_thread.hpp"

namespace streamverse::packet {
namespace {

using binding::Arguments;
using binding::CodedError;
using binding::CopyOf;

constexpr char kArgument[] = "NATIVE_PACKET_ARGUMENT";
constexpr char kClosed[] = "NATIVE_PACKET_CLOSED";

template <typename Work>
auto Guarded(Napi::Env env, Work work) {
    try {
        return work();
    } catch (const SystemError& error) {
        throw CodedError(env, error.code(), error.what());
    } catch (const std::bad_alloc&) {
        throw CodedError(env, "NATIVE_PACKET_LIMIT", "no memory for the datagrams");
    }
}

Endpoint ReadEndpoint(const Napi::Value& value) {
    const Arguments from(value, kArgument);
    return {.group = from.Text("group"),
            .port = static_cast<uint16_t>(from.Whole("port", 1, 65535)),
            .source = from.TextOr("source", ""),
            .interfaceAddress = from.TextOr("interfaceAddress", "")};
}

class PacketReceiver final : public Napi::ObjectWrap<PacketReceiver> {
 public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(
            env, "PacketReceiver",
            {InstanceMethod<&PacketReceiver::Join>("join"), InstanceMethod<&PacketReceiver::Leave>("leave"),
             InstanceMethod<&PacketReceiver::Stats>("stats"),
             InstanceMethod<&PacketReceiver::Close>("close")});
    }

    explicit PacketReceiver(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PacketReceiver>(info) {
        const Napi::Env env = info.Env();
        const Arguments from(info[0], kArgument);
        ReceiverOptions options;
        options.receiveBufferBytes = static_cast<int>(from.Whole("receiveBufferBytes", 1, 1 << 30));
        options.datagramBytesMax = static_cast<unsigned>(from.Whole("datagramBytesMax", 1, 65535));
        options.gro = from.Flag("gro");
        const size_t queueBytesMax = from.Whole("queueBytesMax", 1, 1 << 30);
        onBatch_ = Napi::Persistent(from.Callback("onBatch"));
        thread_.Start(
            env, "packet receiver", [this](Napi::Env at) { Deliver(at); },
            [&](std::function<void()> ring) {
                return Guarded(env, [&] {
                    return std::make_unique<ReceiveThread>(options, queueBytesMax, std::move(ring));
                });
            });
        Ref();
    }

 private:
    void Deliver(Napi::Env env) {
        if (onBatch_.IsEmpty()) {
            return;
        }
        const Napi::HandleScope scope(env);
        const PacketBatch batch = thread_->Take();
        if (batch.lengths.empty()) {
            return;
        }
        Napi::Object object = Napi::Object::New(env);
        object.Set("bytes", Napi::Buffer<uint8_t>::Copy(env, batch.bytes.data(), batch.bytes.size()));
        object.Set("lengths", CopyOf<Napi::Uint32Array>(env, batch.lengths));
        object.Set("endpoints", CopyOf<Napi::Uint32Array>(env, batch.endpoints));
        onBatch_.Call({object});
    }

    Napi::Value Join(const Napi::CallbackInfo& info) {
        const Napi::Env env = info.Env();
        thread_.RequireOpen(env, kClosed);
        const Endpoint endpoint = ReadEndpoint(info[0]);
        return Napi::Number::New(env, Guarded(env, [&] { return thread_->Join(endpoint); }));
    }

    void Leave(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), kClosed);
        const auto id =
            static_cast<EndpointId>(Arguments(info[0], kArgument).Whole("endpoint", 0, 4294967295.0));
        Guarded(info.Env(), [&] { thread_->Leave(id); });
    }

    Napi::Value Stats(const Napi::CallbackInfo& info) {
        const ReceiveThreadStats stats = thread_->Stats();
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("datagrams", static_cast<double>(stats.counters.datagrams));
        object.Set("bytes", static_cast<double>(stats.counters.bytes));
        object.Set("kernelDrops", static_cast<double>(stats.counters.kernelDrops));
        object.Set("truncated", static_cast<double>(stats.counters.truncated));
        object.Set("dropped", static_cast<double>(stats.dropped));
        return object;
    }

    Napi::Value Close(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), kClosed);
        return thread_.Close(info.Env(), [this](Napi::Env at) {
            Deliver(at);
            onBatch_.Reset();
            Unref();
        });
    }

    Napi::FunctionReference onBatch_;
    binding::ThreadOwner<ReceiveThread> thread_;
};

// The lengths of one batch of datagrams that lie one behind the other in `bytes`.
OutBatch ReadBatch(const Napi::Value& value) {
    const Arguments from(value, kArgument);
    const Arguments destination(from.Get("destination"), kArgument);
    OutBatch batch;
    batch.destination =
        ParseAddress(destination.Text("group"), static_cast<uint16_t>(destination.Whole("port", 1, 65535)));
    const auto [data, length] = from.Octets("bytes");
    const Napi::Value lengths = from.Get("lengths");
    if (!lengths.IsTypedArray() || lengths.As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array) {
        throw from.Wrong("lengths", "a Uint32Array");
    }
    const auto list = lengths.As<Napi::Uint32Array>();
    uint64_t total = 0;
    for (size_t index = 0; index < list.ElementLength(); ++index) {
        total += list[index];
        if (list[index] > 65507) {
            throw from.Wrong("lengths", "at most 65507 each");
        }
    }
    if (total != length) {
        throw from.Wrong("lengths", "as many bytes as there are");
    }
    batch.bytes.assign(data, data + length);
    batch.lengths.assign(list.Data(), list.Data() + list.ElementLength());
    return batch;
}

class PacketSender final : public Napi::ObjectWrap<PacketSender> {
 public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(
            env, "PacketSender",
            {InstanceMethod<&PacketSender::Send>("send"), InstanceMethod<&PacketSender::Stats>("stats"),
             InstanceMethod<&PacketSender::Close>("close")});
    }

    explicit PacketSender(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PacketSender>(info) {
        const Napi::Env env = info.Env();
        const Arguments from(info[0], kArgument);
        SendThreadOptions options;
        options.socket.interfaceAddress = from.TextOr("interfaceAddress", "");
        options.socket.ttl = static_cast<int>(from.Whole("ttl", 0, 255));
        options.socket.sendBufferBytes = static_cast<int>(from.Whole("sendBufferBytes", 1, 1 << 30));
        options.rateBps = from.Whole("rateBps", 0, 1e12);
        options.burstBytesMax = from.Whole("burstBytesMax", 1, 1 << 30);
        options.queueBytesMax = from.Whole("queueBytesMax", 1, 1 << 30);
        onIdle_ = Napi::Persistent(from.Callback("onIdle"));
        thread_.Start(
            env, "packet sender",
            [this](Napi::Env) {
                if (!onIdle_.IsEmpty()) {
                    onIdle_.Call({});
                }
            },
            [&](std::function<void()> ring) {
                return Guarded(
                    env, [&] { return std::make_unique<SendThread>(std::move(options), std::move(ring)); });
            });
        Ref();
    }

 private:
    Napi::Value Send(const Napi::CallbackInfo& info) {
        const Napi::Env env = info.Env();
        thread_.RequireOpen(env, kClosed);
        return Napi::Boolean::New(env, Guarded(env, [&] { return thread_->Push(ReadBatch(info[0])); }));
    }

    Napi::Value Stats(const Napi::CallbackInfo& info) {
        const SendThreadStats stats = thread_->Stats();
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("datagrams", static_cast<double>(stats.counters.datagrams));
        object.Set("bytes", static_cast<double>(stats.counters.bytes));
        object.Set("dropped", static_cast<double>(stats.dropped));
        object.Set("failed", static_cast<double>(stats.failed));
        object.Set("queuedBytes", static_cast<double>(stats.queuedBytes));
        return object;
    }

    Napi::Value Close(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), kClosed);
        return thread_.Close(info.Env(), [this](Napi::Env) {
            onIdle_.Reset();
            Unref();
        });
    }

    Napi::FunctionReference onIdle_;
    binding::ThreadOwner<SendThread> thread_;
};

}  // namespace

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
    exports.Set("PacketReceiver", PacketReceiver::Define(env));
    exports.Set("PacketSender", PacketSender::Define(env));
    return exports;
}

NODE_API_MODULE(packet, Init)

}  // namespace streamverse::packet
