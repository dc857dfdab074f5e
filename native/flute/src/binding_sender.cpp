// FluteSender for JavaScript: enqueue, cancel, rate, stats; events come in batches.
#include <map>
#include <memory>
#include <utility>

#include "binding/thread_owner.hpp"
#include "binding/value.hpp"
#include "flute/src/binding.hpp"
#include "flute/src/send_engine.hpp"

namespace streamverse::flute {
namespace {

using binding::Arguments;
using binding::CodedError;

constexpr char kArgument[] = "NATIVE_FLUTE_ARGUMENT";
constexpr char kClosed[] = "NATIVE_FLUTE_CLOSED";
constexpr double kNumberMax = 9007199254740991.0;
constexpr double kRateBpsMax = 1e12;
// One packet must fit into 65507 bytes of UDP payload.
constexpr double kSymbolBytesMax = 65507 - kPacketHeaderBytesMax;

template <typename Work>
auto Guarded(Napi::Env env, Work work) {
    try {
        return work();
    } catch (const JobError& error) {
        throw CodedError(env, error.code(), error.what());
    } catch (const packet::SystemError& error) {
        throw CodedError(env, error.code(), error.what());
    } catch (const std::bad_alloc&) {
        throw CodedError(env, "NATIVE_FLUTE_QUEUE_FULL", "no memory for the job");
    }
}

SendEngineOptions ReadOptions(const Arguments& from) {
    SendEngineOptions options;
    options.rateBps = from.Whole("rateBps", 1000, kRateBpsMax);
    options.burstBytesMax = from.Whole("burstBytesMax", 1, 1 << 30);
    options.socket.interfaceAddress = from.TextOr("interfaceAddress", "");
    options.socket.ttl = static_cast<int>(from.Whole("ttl", 0, 255));
    options.socket.sendBufferBytes = static_cast<int>(from.Whole("sendBufferBytes", 1, 1 << 30));
    const Napi::Array lanes = from.List("lanes", kLanesMax);
    for (uint32_t index = 0; index < lanes.Length(); ++index) {
        const Arguments lane(lanes.Get(index), kArgument);
        options.lanes.push_back({.name = lane.Text("name"),
                                 .level = static_cast<uint32_t>(lane.Whole("level", 0, 1000)),
                                 .weight = lane.Positive("weight")});
    }
    return options;
}

FecParameters ReadFec(const Arguments& from) {
    FecParameters fec;
    fec.encodingId = static_cast<uint8_t>(from.Whole("encodingId", 0, 5));
    fec.symbolBytes = static_cast<uint16_t>(from.Whole("symbolBytes", 1, kSymbolBytesMax));
    fec.sourceBlockSymbolsMax = static_cast<uint32_t>(from.Whole("sourceBlockSymbolsMax", 1, 65535));
    fec.repairSymbolsPerBlock = static_cast<uint32_t>(from.Whole("repairSymbolsPerBlock", 0, 254));
    if (fec.encodingId == 5 ? fec.symbolsMax() > fec::kSymbolsMax
                            : fec.encodingId != 0 || fec.repairSymbolsPerBlock != 0) {
        throw from.Wrong("fec", "id 0 without repair symbols, or id 5 with at most 255 symbols in a block");
    }
    return fec;
}

PacketFields ReadFields(const Arguments& from) {
    static const std::map<std::string, ContentEncoding> kEncodings{{"zlib", ContentEncoding::kZlib},
                                                                   {"deflate", ContentEncoding::kDeflate},
                                                                   {"gzip", ContentEncoding::kGzip}};
    PacketFields fields;
    fields.widthBits = static_cast<unsigned>(from.Whole("widthBits", 16, 48));
    if (fields.widthBits % 16 != 0) {
        throw from.Wrong("widthBits", "16, 32 or 48");
    }
    const auto most = static_cast<double>((uint64_t{1} << fields.widthBits) - 1);
    fields.tsi = from.Whole("tsi", 0, most);
    fields.toi = from.Whole("toi", 0, most);
    fields.fec = ReadFec(Arguments(from.Get("fec"), kArgument));
    if (from.Has("fdt")) {
        const Arguments fdt(from.Get("fdt"), kArgument);
        fields.fdt =
            PacketFields::Fdt{.instanceId = static_cast<uint32_t>(fdt.Whole("instanceId", 0, 0xFFFFF)),
                              .version = static_cast<uint8_t>(fdt.Whole("version", 1, 2))};
    }
    if (fields.fdt.has_value() != (fields.toi == 0)) {
        throw from.Wrong("toi", "0 for an FDT instance and only for one");
    }
    if (from.Has("contentEncoding")) {
        const auto found = kEncodings.find(from.Text("contentEncoding"));
        if (found == kEncodings.end() || !fields.fdt) {
            throw from.Wrong("contentEncoding", "gzip, deflate or zlib, of an FDT instance");
        }
        fields.contentEncoding = found->second;
    }
    fields.senderTime = from.Flag("senderTime");
    fields.fti = from.Flag("fti");
    return fields;
}

SendJob ReadJob(const Arguments& from) {
    SendJob job;
    const Arguments destination(from.Get("destination"), kArgument);
    job.destination = packet::ParseAddress(destination.Text("group"),
                                           static_cast<uint16_t>(destination.Whole("port", 1, 65535)));
    job.fields = ReadFields(from);
    const Arguments source(from.Get("source"), kArgument);
    const std::string kind = source.Text("kind");
    if (kind == "file") {
        job.path = source.Text("path");
        if (job.path.empty()) {
            throw source.Wrong("path", "a path");
        }
        if (source.Has("sizeBytes")) {
            job.sizeBytes = source.Whole("sizeBytes", 0, kNumberMax);
        }
    } else if (kind == "bytes") {
        const auto [data, length] = source.Octets("bytes");
        if (length > kQueuedBytesMax) {
            throw CodedError(source.Get("kind").Env(), "NATIVE_FLUTE_QUEUE_FULL",
                             "too many bytes for one job");
        }
        job.bytes.assign(data, data + length);
    } else {
        throw source.Wrong("kind", "file or bytes");
    }
    job.closeObject = from.Flag("closeObject");
    job.closeSession = from.Flag("sessionClose");
    return job;
}

Napi::Object EventObject(Napi::Env env, const SendEvent& event) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("job", static_cast<double>(event.job));
    switch (event.kind) {
        case SendEvent::Kind::kStarted:
            object.Set("kind", "started");
            break;
        case SendEvent::Kind::kSent:
            object.Set("kind", "sent");
            object.Set("packets", static_cast<double>(event.packets));
            object.Set("wireBytes", static_cast<double>(event.wireBytes));
            object.Set("durationMs", event.durationMs);
            break;
        case SendEvent::Kind::kFailed:
            object.Set("kind", "failed");
            object.Set("code", event.code);
            object.Set("message", event.message);
            break;
    }
    return object;
}

class FluteSender final : public Napi::ObjectWrap<FluteSender> {
 public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(
            env, "FluteSender",
            {InstanceMethod<&FluteSender::Enqueue>("enqueue"), InstanceMethod<&FluteSender::Cancel>("cancel"),
             InstanceMethod<&FluteSender::SetRate>("setRate"), InstanceMethod<&FluteSender::Stats>("stats"),
             InstanceMethod<&FluteSender::Close>("close")});
    }

    explicit FluteSender(const Napi::CallbackInfo& info) : Napi::ObjectWrap<FluteSender>(info) {
        const Napi::Env env = info.Env();
        const Arguments from(info[0], kArgument);
        SendEngineOptions options = ReadOptions(from);
        onEvents_ = Napi::Persistent(from.Callback("onEvents"));
        engine_.Start(
            env, "flute sender", [this](Napi::Env at) { Deliver(at); },
            [&](std::function<void()> ring) {
                return Guarded(
                    env, [&] { return std::make_unique<SendEngine>(std::move(options), std::move(ring)); });
            });
        Ref();  // an open sender works on, whether or not JavaScript still holds it
    }

 private:
    void Deliver(Napi::Env env) {
        if (onEvents_.IsEmpty()) {
            return;
        }
        const Napi::HandleScope scope(env);
        const std::vector<SendEvent> events = engine_->TakeEvents();
        if (events.empty()) {
            return;
        }
        Napi::Array list = Napi::Array::New(env, events.size());
        for (uint32_t index = 0; index < events.size(); ++index) {
            list.Set(index, EventObject(env, events[index]));
        }
        onEvents_.Call({list});
    }

    Napi::Value Enqueue(const Napi::CallbackInfo& info) {
        const Napi::Env env = info.Env();
        engine_.RequireOpen(env, kClosed);
        const Arguments from(info[0], kArgument);
        const JobId id = Guarded(env, [&] { return engine_->Enqueue(from.Text("lane"), ReadJob(from)); });
        return Napi::Number::New(env, static_cast<double>(id));
    }

    Napi::Value Cancel(const Napi::CallbackInfo& info) {
        engine_.RequireOpen(info.Env(), kClosed);
        if (!info[0].IsNumber()) {
            throw CodedError(info.Env(), kArgument, "a job is a number");
        }
        const double job = info[0].As<Napi::Number>().DoubleValue();
        const bool known = job >= 1 && job <= kNumberMax && engine_->Cancel(static_cast<JobId>(job));
        return Napi::Boolean::New(info.Env(), known);
    }

    void SetRate(const Napi::CallbackInfo& info) {
        engine_.RequireOpen(info.Env(), kClosed);
        engine_->SetRate(Arguments(info[0], kArgument).Whole("rateBps", 1000, kRateBpsMax));
    }

    Napi::Value Stats(const Napi::CallbackInfo& info) {
        const Napi::Env env = info.Env();
        const SendEngineStats stats = engine_->Stats();
        Napi::Object object = Napi::Object::New(env);
        object.Set("packets", static_cast<double>(stats.packets));
        object.Set("wireBytes", static_cast<double>(stats.wireBytes));
        object.Set("busyMs", stats.busyMs);
        object.Set("rateErrorRatio", stats.rateErrorRatio);
        Napi::Array lanes = Napi::Array::New(env, stats.lanes.size());
        for (uint32_t index = 0; index < stats.lanes.size(); ++index) {
            const LaneState& state = stats.lanes[index];
            Napi::Object lane = Napi::Object::New(env);
            lane.Set("name", state.name);
            lane.Set("queued", static_cast<double>(state.queued));
            if (state.job) {
                lane.Set("job", static_cast<double>(*state.job));
            }
            lane.Set("sentBytes", static_cast<double>(state.sentBytes));
            lane.Set("totalBytes", static_cast<double>(state.totalBytes));
            lanes.Set(index, lane);
        }
        object.Set("lanes", lanes);
        return object;
    }

    Napi::Value Close(const Napi::CallbackInfo& info) {
        const Napi::Env env = info.Env();
        engine_.RequireOpen(env, kClosed);
        return engine_.Close(info.Env(), [this](Napi::Env at) {
            Deliver(at);  // what the thread said last
            onEvents_.Reset();
            Unref();
        });
    }

    Napi::FunctionReference onEvents_;
    binding::ThreadOwner<SendEngine> engine_;
};

}  // namespace

void InitSender(Napi::Env env, Napi::Object exports) {
    exports.Set("FluteSender", FluteSender::Define(env));
}

}  // namespace streamverse::flute
