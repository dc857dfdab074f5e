// Encapsulator: the sending threads.
#include <mutex>
#include <optional>

#include "binding/thread_owner.hpp"
#include "link/src/binding.hpp"
#include "link/src/encapsulator_thread.hpp"

namespace streamverse::link {

namespace {

using binding::Arguments;
using binding::CodedError;

constexpr uint32_t kInputsMax = 1024;

std::vector<EncapsulatorInput> ReadInputs(const Arguments& from) {
    std::vector<EncapsulatorInput> inputs;
    const Napi::Array list = from.List("inputs", kInputsMax);
    for (uint32_t index = 0; index < list.Length(); ++index) {
        const Arguments input(list.Get(index), kArgument);
        inputs.push_back({ReadEndpoint(input), static_cast<uint16_t>(input.Whole("serviceId", 0, 65535)),
                          input.Text("sourceAddress")});
    }
    return inputs;
}

UdpOutputOptions ReadUdpOutput(const Arguments& from, const EncoderOptions& encoder) {
    UdpOutputOptions output;
    output.group = from.Text("group");
    output.port = static_cast<uint16_t>(from.Whole("port", 1, 65535));
    output.interfaceAddress = from.Text("interfaceAddress");
    output.ttl = static_cast<int>(from.Whole("ttl", 0, 255));
    output.isRtp = from.Text("kind") == "rtp";
    output.rate = encoder.rate;
    if (encoder.frames.has_value()) {
        if (output.isRtp) {
            throw from.Wrong("output", "of a kind that carries BBFRAMEs: RTP has no such payload");
        }
        output.frameBytes = encoder.frames->bits / 8;
        output.pls = encoder.frames->pls;
    }
    return output;
}

class Encapsulator final : public Napi::ObjectWrap<Encapsulator> {
 public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(
            env, "Encapsulator",
            {InstanceMethod<&Encapsulator::Stats>("stats"), InstanceMethod<&Encapsulator::Close>("close")});
    }

    explicit Encapsulator(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Encapsulator>(info) {
        const Napi::Env env = info.Env();
        const Arguments from(info[0], kArgument);
        EncoderOptions options = ReadEncoderOptions(from);
        options.startUtcMs = std::chrono::duration_cast<std::chrono::milliseconds>(
                                 std::chrono::system_clock::now().time_since_epoch())
                                 .count();
        const std::vector<EncapsulatorInput> inputs = ReadInputs(from);
        onFailed_ = Napi::Persistent(from.Callback("onFailed"));
        thread_.Start(
            env, "encapsulator", [this](Napi::Env at) { Deliver(at); },
            [&](const std::function<void()>& ring) {
                std::unique_ptr<LinkOutput> output =
                    OpenOutput(env, Arguments(from.Get("output"), kArgument), options, ring);
                const auto buffer = static_cast<int>(from.Whole("receiveBufferBytes", 1, 1 << 30));
                return Guarded(env, [&] {
                    return std::make_unique<EncapsulatorThread>(
                        options, inputs, buffer, std::move(output),
                        [this, ring](const packet::SystemError& error) {
                            Fail(error);
                            ring();
                        });
                });
            });
        Ref();
    }

 private:
    Napi::FunctionReference onFailed_;
    Napi::FunctionReference onBytes_;
    BytesOutput* bytes_ = nullptr;  // the thread's
    std::mutex mutex_;
    std::optional<packet::SystemError> failure_;
    binding::ThreadOwner<EncapsulatorThread> thread_;

    std::unique_ptr<LinkOutput> OpenOutput(Napi::Env env, const Arguments& from,
                                           const EncoderOptions& options, const std::function<void()>& ring) {
        const std::string kind = from.Text("kind");
        if (kind == "file") {
            return MakeFileOutput(from.Text("path"));
        }
        if (kind == "bytes") {
            onBytes_ = Napi::Persistent(from.Callback("onBytes"));
            auto output = std::make_unique<BytesOutput>(ring);
            bytes_ = output.get();
            return output;
        }
        const UdpOutputOptions udp = ReadUdpOutput(from, options);
        return Guarded(env, [&] { return MakeUdpOutput(udp); });
    }

    // On the thread.
    void Fail(const packet::SystemError& error) {
        const std::lock_guard lock(mutex_);
        failure_ = error;
    }

    void Deliver(Napi::Env env) {
        if (onFailed_.IsEmpty()) {
            return;
        }
        const Napi::HandleScope scope(env);
        if (bytes_ != nullptr) {
            const std::vector<uint8_t> bytes = bytes_->Take();
            if (!bytes.empty()) {
                onBytes_.Call({Napi::Buffer<uint8_t>::Copy(env, bytes.data(), bytes.size())});
            }
        }
        std::optional<packet::SystemError> failure;
        {
            const std::lock_guard lock(mutex_);
            failure.swap(failure_);
        }
        if (failure.has_value()) {
            Napi::Object object = Napi::Object::New(env);
            object.Set("code", failure->code());
            object.Set("message", failure->what());
            onFailed_.Call({object});
        }
    }

    Napi::Value Stats(const Napi::CallbackInfo& info) {
        const EncapsulatorStats stats = thread_->stats();
        constexpr double kMsNs = 1e6;
        Napi::Object object = ToObject(info.Env(), stats.totals);
        object.Set("droppedDatagrams", static_cast<double>(stats.droppedDatagrams));
        object.Set("droppedBytes", static_cast<double>(stats.droppedBytes));
        object.Set("refusedDatagrams", static_cast<double>(stats.refusedDatagrams));
        object.Set("queuedBytes", static_cast<double>(stats.queuedBytes));
        object.Set("kernelDrops", static_cast<double>(stats.kernelDrops));
        object.Set("underruns", static_cast<double>(stats.underruns));
        object.Set("underrunMs", static_cast<double>(stats.underrunNs) / kMsNs);
        object.Set("elapsedMs", static_cast<double>(stats.elapsedNs) / kMsNs);
        object.Set("lostBytes", static_cast<double>(stats.lostBytes));
        return object;
    }

    Napi::Value Close(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), kClosed);
        return thread_.Close(info.Env(), [this](Napi::Env at) {
            Deliver(at);
            onFailed_.Reset();
            onBytes_.Reset();
            Unref();
        });
    }
};

}  // namespace

void RegisterEncapsulator(Napi::Env env, Napi::Object exports) {
    exports.Set("Encapsulator", Encapsulator::Define(env));
}

}  // namespace streamverse::link
