#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "binding/thread_owner.hpp"
#include "binding/value.hpp"
#include "modem/src/binding.hpp"
#include "modem/src/modulator.hpp"
#include "modem/src/pl_scrambler.hpp"

namespace streamverse::modem {

namespace {

using binding::Arguments;
using binding::CodedError;

constexpr double kQueueBytesMax = 1 << 30;
constexpr double kPlsMax = 511;
constexpr uint32_t kStreamsMax = 256;  // an ISI has eight bits
constexpr double kChannelsMax = 64;

template <typename Work>
auto Guarded(Napi::Env env, const char* code, Work&& work) {
    try {
        return work();
    } catch (const std::invalid_argument& error) {
        throw CodedError(env, code, error.what());
    } catch (const OutputError& error) {
        throw CodedError(env, kOutputCode, error.what());
    }
}

double Number(const Arguments& from, const char* name) {
    const Napi::Value value = from.Get(name);
    const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
    if (!std::isfinite(number)) {
        throw from.Wrong(name, "a number");
    }
    return number;
}

InputStream ReadStream(const Napi::Value& value) {
    const Arguments from(value, kArgumentCode);
    InputStream stream{};
    stream.pls = static_cast<uint16_t>(from.Whole("pls", 0, kPlsMax));
    stream.isTransport = from.Flag("transport");
    stream.header.rollOff = static_cast<uint8_t>(from.Whole("rollOffCode", 0, 3));
    stream.alternatesRollOff = from.Flag("alternatesRollOff");
    stream.header.isSingleStream = !from.Has("isi");
    stream.header.isi = from.Has("isi") ? static_cast<uint8_t>(from.Whole("isi", 0, 255)) : uint8_t{0};
    stream.header.isConstantCoding = !from.Flag("variableCoding");
    return stream;
}

ModulatorOptions ReadOptions(const Arguments& from) {
    ModulatorOptions options{};
    const Napi::Array streams = from.List("streams", kStreamsMax);
    for (uint32_t index = 0; index < streams.Length(); ++index) {
        options.streams.push_back(ReadStream(streams.Get(index)));
    }
    options.goldIndex = static_cast<uint32_t>(from.Whole("goldIndex", 0, kGoldIndexMax));
    options.shape =
        Shape{from.Positive("rollOff"), static_cast<unsigned>(from.Whole("interpolate", 1, kPhasesMax)),
              static_cast<unsigned>(from.Whole("decimate", 1, kPhasesMax))};
    options.format = from.Flag("integers") ? SampleFormat::kInteger : SampleFormat::kFloat;
    options.sampleRate = from.Positive("sampleRate");
    options.isPaced = from.Flag("paced");
    options.queueBytesMax = from.Whole("queueBytesMax", 1, kQueueBytesMax);
    return options;
}

std::unique_ptr<SampleSink> MakeSink(const Arguments& output, const ModulatorOptions& options) {
    const std::string kind = output.Text("kind");
    if (kind == "file") {
        return MakeFileSink(output.Text("path"));
    }
    if (kind == "udp") {
        return MakeUdpSink({.address = output.Text("address"),
                            .port = static_cast<uint16_t>(output.Whole("port", 1, 65535)),
                            .interfaceAddress = output.TextOr("interfaceAddress", ""),
                            .ttl = output.Has("ttl") ? static_cast<int>(output.Whole("ttl", 0, 255)) : 1});
    }
    if (kind == "soapy") {
        return MakeSoapySink(
            {.arguments = output.Text("arguments"),
             .frequencyHz = output.Positive("frequencyHz"),
             .gainDb = Number(output, "gainDb"),
             .sampleRate = options.sampleRate,
             .channel =
                 output.Has("channel") ? static_cast<unsigned>(output.Whole("channel", 0, kChannelsMax)) : 0u,
             .antenna = output.TextOr("antenna", "")},
            options.format);
    }
    throw output.Wrong("kind", "file, udp or soapy");
}

class ModulatorObject final : public Napi::ObjectWrap<ModulatorObject> {
 public:
    explicit ModulatorObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ModulatorObject>(info) {
        const Napi::Env env = info.Env();
        const Arguments from(info[0], kArgumentCode);
        ModulatorOptions options = ReadOptions(from);
        auto sink = Guarded(env, kArgumentCode,
                            [&] { return MakeSink(Arguments(from.Get("output"), kArgumentCode), options); });
        onChange_ = Napi::Persistent(from.Callback("onChange"));
        modulator_.Start(
            env, "modulator",
            [this](Napi::Env) {
                if (!onChange_.IsEmpty()) {
                    onChange_.Call({});
                }
            },
            [&](std::function<void()> ring) {
                return Guarded(env, kArgumentCode, [&] {
                    return std::make_unique<Modulator>(std::move(options), std::move(sink), std::move(ring));
                });
            });
        Ref();
    }

    Napi::Value Write(const Napi::CallbackInfo& info) {
        const Napi::Env env = info.Env();
        modulator_.RequireOpen(env, "NATIVE_MODEM_CLOSED");
        const Arguments from(info[0], kArgumentCode);
        const auto [bytes, length] = from.Octets("bytes");
        const size_t stream = from.Whole("stream", 0, kStreamsMax);
        const std::optional<uint16_t> pls =
            from.Has("pls") ? std::optional(static_cast<uint16_t>(from.Whole("pls", 0, kPlsMax)))
                            : std::nullopt;
        return Napi::Boolean::New(env, Guarded(env, kInputCode, [&, data = bytes, size = length] {
                                      return modulator_->Append(stream, pls, {data, size});
                                  }));
    }

    Napi::Value Totals(const Napi::CallbackInfo& info) {
        const ModulatorTotals totals = modulator_->Totals();
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("frames", static_cast<double>(totals.frames));
        object.Set("dummyFrames", static_cast<double>(totals.dummyFrames));
        object.Set("symbols", static_cast<double>(totals.symbols));
        object.Set("samples", static_cast<double>(totals.samples));
        object.Set("underruns", static_cast<double>(totals.underruns));
        object.Set("queuedBytes", static_cast<double>(totals.queuedBytes));
        object.Set("idle", totals.isIdle);
        if (totals.failure.has_value()) {
            object.Set("failure", *totals.failure);
        }
        return object;
    }

    Napi::Value Close(const Napi::CallbackInfo& info) {
        return modulator_.Close(info.Env(), [this](Napi::Env) {
            onChange_.Reset();
            Unref();
        });
    }

 private:
    Napi::FunctionReference onChange_;
    binding::ThreadOwner<Modulator> modulator_;
};

}  // namespace

Napi::Function DefineModulator(Napi::Env env) {
    using Object = ModulatorObject;
    return Object::DefineClass(
        env, "Modulator",
        {Object::InstanceMethod<&Object::Write>("write"), Object::InstanceMethod<&Object::Totals>("totals"),
         Object::InstanceMethod<&Object::Close>("close")});
}

}  // namespace streamverse::modem
