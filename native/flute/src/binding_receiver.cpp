// FluteReceiver for JavaScript: join, leave, ask, write; events come in batches.
#include <memory>
#include <utility>

#include "binding/thread_owner.hpp"
#include "binding/value.hpp"
#include "flute/src/binding.hpp"
#include "flute/src/receive_event_to_js.hpp"
#include "flute/src/receiver_thread.hpp"

namespace streamverse::flute {
namespace {

using binding::Arguments;
using binding::CodedError;

constexpr char kArgument[] = "NATIVE_FLUTE_ARGUMENT";
constexpr char kClosed[] = "NATIVE_FLUTE_CLOSED";
constexpr double kNumberMax = 9007199254740991.0;
constexpr double kTsiMax = 281474976710655.0;
constexpr uint32_t kTsisMax = 1024;

packet::Endpoint ReadAddress(const Arguments& from) {
    packet::Endpoint endpoint;
    endpoint.group = from.Text("group");
    endpoint.port = static_cast<uint16_t>(from.Whole("port", 1, 65535));
    endpoint.source = from.TextOr("source", "");
    endpoint.interfaceAddress = from.TextOr("interfaceAddress", "");
    return endpoint;
}

ListenEndpoint ReadEndpoint(const Arguments& from) {
    ListenEndpoint endpoint{ReadAddress(from), {}, std::nullopt};
    if (from.Has("objectIdleMs")) {
        endpoint.objectIdleMs = static_cast<int64_t>(from.Whole("objectIdleMs", 1, 1e12));
    }
    if (from.Has("tsis")) {
        const Napi::Array tsis = from.List("tsis", kTsisMax);
        for (uint32_t index = 0; index < tsis.Length(); ++index) {
            const Napi::Value value = tsis.Get(index);
            const double tsi = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
            if (!(tsi >= 0 && tsi <= kTsiMax)) {
                throw from.Wrong("tsis", "whole numbers of at most 48 bits");
            }
            endpoint.tsis.push_back(static_cast<uint64_t>(tsi));
        }
    }
    return endpoint;
}

ReceiveSettings ReadSettings(const Arguments& from) {
    ReceiveSettings settings;
    settings.directory = from.Text("directory");
    settings.objectIdleMs = static_cast<int64_t>(from.Whole("objectIdleMs", 1, 1e12));
    settings.progressIntervalMs = static_cast<int64_t>(from.Whole("progressIntervalMs", 0, 1e12));
    const Arguments limits(from.Get("limits"), kArgument);
    settings.limits.objectBytesMax = limits.Whole("objectBytesMax", 0, kTsiMax);
    settings.limits.objectsOpenMax = limits.Whole("objectsOpenMax", 1, 1e9);
    settings.limits.openBytesMax = limits.Whole("openBytesMax", 0, kNumberMax);
    settings.limits.unknownBytesMax = limits.Whole("unknownBytesMax", 0, 1e12);
    settings.limits.fdtBytesMax = limits.Whole("fdtBytesMax", 1, 1 << 28);
    settings.limits.repairSymbolBytesMax = limits.Whole("repairSymbolBytesMax", 0, 1e12);
    return settings;
}

Napi::Array RangesToJs(Napi::Env env, const std::vector<ByteRange>& ranges) {
    const Napi::Array list = Napi::Array::New(env, ranges.size());
    for (uint32_t index = 0; index < ranges.size(); ++index) {
        Napi::Object range = Napi::Object::New(env);
        range.Set("offset", static_cast<double>(ranges[index].offset));
        range.Set("length", static_cast<double>(ranges[index].length));
        list.Set(index, range);
    }
    return list;
}

class FluteReceiver final : public Napi::ObjectWrap<FluteReceiver> {
 public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(
            env, "FluteReceiver",
            {InstanceMethod<&FluteReceiver::Join>("join"), InstanceMethod<&FluteReceiver::Leave>("leave"),
             InstanceMethod<&FluteReceiver::Missing>("missing"),
             InstanceMethod<&FluteReceiver::Available>("available"),
             InstanceMethod<&FluteReceiver::Write>("write"), InstanceMethod<&FluteReceiver::Drop>("drop"),
             InstanceMethod<&FluteReceiver::Forget>("forget"), InstanceMethod<&FluteReceiver::Stats>("stats"),
             InstanceMethod<&FluteReceiver::Close>("close")});
    }

    explicit FluteReceiver(const Napi::CallbackInfo& info) : Napi::ObjectWrap<FluteReceiver>(info) {
        const Napi::Env env = info.Env();
        const Arguments from(info[0], kArgument);
        ReceiveSettings settings = ReadSettings(from);
        const Arguments limits(from.Get("limits"), kArgument);
        const int bufferBytes = static_cast<int>(limits.Whole("receiveBufferBytes", 1, 1 << 30));
        onEvents_ = Napi::Persistent(from.Callback("onEvents"));
        try {
            thread_.Start(
                env, "flute receiver", [this](Napi::Env at) { Deliver(at); },
                [&](std::function<void()> ring) {
                    return std::make_unique<ReceiverThread>(std::move(settings), bufferBytes,
                                                            std::move(ring));
                });
        } catch (const std::exception& error) {
            throw CodedError(env, "NATIVE_FLUTE_RECEIVER_FAILED", error.what());
        }
        Ref();  // An open receiver works on, whether or not JavaScript still holds it.
    }

 private:
    void Deliver(Napi::Env env) {
        if (onEvents_.IsEmpty()) {
            return;
        }
        const Napi::HandleScope scope(env);
        const std::vector<ReceiveEvent> events = thread_->TakeEvents();
        if (!events.empty()) {
            onEvents_.Call({EventsToJs(env, events)});
        }
    }

    void Join(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), kClosed);
        try {
            thread_->Join(ReadEndpoint(Arguments(info[0], kArgument)));
        } catch (const packet::SystemError& error) {
            throw CodedError(info.Env(), error.code(), error.what());
        }
    }

    void Leave(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), kClosed);
        thread_->Leave(ReadAddress(Arguments(info[0], kArgument)));
    }

    Napi::Value Missing(const Napi::CallbackInfo& info) {
        const Arguments from(info[0], kArgument);
        return RangesToJs(info.Env(), thread_->views().Missing(from.Whole("id", 0, kNumberMax)));
    }

    Napi::Value Available(const Napi::CallbackInfo& info) {
        const Arguments from(info[0], kArgument);
        return RangesToJs(info.Env(), thread_->views().Available(from.Whole("id", 0, kNumberMax),
                                                                 from.Whole("offset", 0, kNumberMax),
                                                                 from.Whole("length", 0, kNumberMax)));
    }

    void Write(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), kClosed);
        const Arguments from(info[0], kArgument);
        const auto [data, length] = from.Octets("bytes");
        if (!thread_->Write(from.Whole("id", 0, kNumberMax), from.Whole("offset", 0, kNumberMax),
                            {data, data + length})) {
            throw CodedError(info.Env(), "NATIVE_FLUTE_BUSY", "too many repaired bytes wait to be written");
        }
    }

    void Drop(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), kClosed);
        thread_->Drop(Arguments(info[0], kArgument).Whole("id", 0, kNumberMax));
    }

    void Forget(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), kClosed);
        const Arguments from(info[0], kArgument);
        const auto toi = ParseToi(from.Text("toi"));
        if (!toi) {
            throw from.Wrong("toi", "a decimal number of at most 112 bits");
        }
        thread_->Forget(from.Text("group"), static_cast<uint16_t>(from.Whole("port", 1, 65535)),
                        from.Whole("tsi", 0, kTsiMax), *toi);
    }

    Napi::Value Stats(const Napi::CallbackInfo& info) {
        const ReceiveStats stats = thread_->stats();
        Napi::Object object = Napi::Object::New(info.Env());
        const auto set = [&](const char* name, uint64_t value) {
            object.Set(name, static_cast<double>(value));
        };
        set("packets", stats.packets);
        set("bytes", stats.bytes);
        set("kernelDrops", stats.kernelDrops);
        set("malformedPackets", stats.malformedPackets);
        set("foreignPackets", stats.foreignPackets);
        set("unsupportedPackets", stats.unsupportedPackets);
        set("lateSymbols", stats.lateSymbols);
        set("refusedSymbols", stats.refusedSymbols);
        set("fdtInstances", stats.fdtInstances);
        set("fdtRefused", stats.fdtRefused);
        set("fdtChanged", stats.fdtChanged);
        set("fdtExpired", stats.fdtExpired);
        set("fecRecoveredBytes", stats.fecRecoveredBytes);
        set("objectsOpen", stats.objectsOpen);
        set("openBytes", stats.openBytes);
        set("unknownBytes", stats.unknownBytes);
        set("unknownDropped", stats.unknownDropped);
        set("objectsComplete", stats.objectsComplete);
        set("objectsGivenUp", stats.objectsGivenUp);
        return object;
    }

    Napi::Value Close(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), kClosed);
        return thread_.Close(info.Env(), [this](Napi::Env at) {
            Deliver(at);  // What the threads said last.
            onEvents_.Reset();
            Unref();
        });
    }

    Napi::FunctionReference onEvents_;
    binding::ThreadOwner<ReceiverThread> thread_;
};

}  // namespace

void InitReceiver(Napi::Env env, Napi::Object exports) {
    exports.Set("FluteReceiver", FluteReceiver::Define(env));
}

}  // namespace streamverse::flute
