// Decapsulator: the receiving thread.
#include <mutex>
#include <optional>

#include "binding/thread_owner.hpp"
#include "link/src/binding.hpp"
#include "link/src/decapsulator_thread.hpp"

namespace streamverse::link {

namespace {

using binding::Arguments;
using binding::CodedError;

DecapsulatorOptions ReadOptions(const Arguments& from) {
    DecapsulatorOptions options;
    const Arguments input(from.Get("input"), kArgument);
    const std::string kind = input.Text("kind");
    if (kind == "udp") {
        options.input =
            UdpInput{ReadEndpoint(input), static_cast<int>(input.Whole("receiveBufferBytes", 1, 1 << 30))};
    } else {
        options.frameBytes = ReadFrameBytes(input);
        if (kind == "file") {
            options.input = FileInput{input.Text("path")};
        } else {
            options.input = WrittenInput{};
        }
    }
    options.selection = ReadSelection(Arguments(from.Get("select"), kArgument));
    if (from.Has("emit")) {
        const Arguments emit(from.Get("emit"), kArgument);
        packet::SenderOptions sender;
        sender.interfaceAddress = emit.Text("interfaceAddress");
        sender.sourceAddress = emit.Text("sourceAddress");
        sender.ttl = static_cast<int>(emit.Whole("ttl", 0, 255));
        options.emit = sender;
    }
    options.givesDatagrams = from.Has("onDatagrams");
    return options;
}

class Decapsulator final : public Napi::ObjectWrap<Decapsulator> {
 public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(
            env, "Decapsulator",
            {InstanceMethod<&Decapsulator::Write>("write"),
             InstanceMethod<&Decapsulator::Contents>("contents"),
             InstanceMethod<&Decapsulator::Stats>("stats"), InstanceMethod<&Decapsulator::Close>("close")});
    }

    explicit Decapsulator(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Decapsulator>(info) {
        const Napi::Env env = info.Env();
        const Arguments from(info[0], kArgument);
        DecapsulatorOptions options = ReadOptions(from);
        if (options.givesDatagrams) {
            onDatagrams_ = Napi::Persistent(from.Callback("onDatagrams"));
        }
        onEnd_ = Napi::Persistent(from.Callback("onEnd"));
        thread_.Start(
            env, "decapsulator", [this](Napi::Env at) { Deliver(at); },
            [&](const std::function<void()>& ring) {
                return Guarded(env, [&] {
                    return std::make_unique<DecapsulatorThread>(
                        std::move(options), ring, [this, ring](const packet::SystemError* error) {
                            End(error);
                            ring();
                        });
                });
            });
        Ref();
    }

 private:
    Napi::FunctionReference onDatagrams_;
    Napi::FunctionReference onEnd_;
    std::mutex mutex_;
    bool hasEnded_ = false;
    std::optional<packet::SystemError> failure_;
    binding::ThreadOwner<DecapsulatorThread> thread_;

    // On the thread.
    void End(const packet::SystemError* error) {
        const std::lock_guard lock(mutex_);
        hasEnded_ = true;
        if (error != nullptr) {
            failure_ = *error;
        }
    }

    void Deliver(Napi::Env env) {
        if (onEnd_.IsEmpty()) {
            return;
        }
        const Napi::HandleScope scope(env);
        if (!onDatagrams_.IsEmpty()) {
            const DatagramBatch batch = thread_->Take();
            if (!batch.lengths.empty()) {
                onDatagrams_.Call({ToObject(env, batch)});
            }
        }
        bool hasEnded = false;
        std::optional<packet::SystemError> failure;
        {
            const std::lock_guard lock(mutex_);
            std::swap(hasEnded, hasEnded_);
            failure.swap(failure_);
        }
        if (hasEnded && failure.has_value()) {
            Napi::Object object = Napi::Object::New(env);
            object.Set("code", failure->code());
            object.Set("message", failure->what());
            onEnd_.Call({object});
        } else if (hasEnded) {
            onEnd_.Call({});
        }
    }

    Napi::Value Write(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), kClosed);
        const Bytes bytes = ReadBytes(info, 0);
        return Napi::Boolean::New(info.Env(), Guarded(info.Env(), [&] { return thread_->Write(bytes); }));
    }

    Napi::Value Contents(const Napi::CallbackInfo& info) {
        Napi::Object contents;
        thread_->Look([&](const LinkDecoder& decoder) { contents = ContentsOf(info.Env(), decoder); });
        return contents;
    }

    Napi::Value Stats(const Napi::CallbackInfo& info) {
        const DecapsulatorStats stats = thread_->stats();
        Napi::Object object = ToObject(info.Env(), stats.totals);
        object.Set("kernelDrops", static_cast<double>(stats.kernelDrops));
        object.Set("emittedDatagrams", static_cast<double>(stats.emitter.emitted));
        object.Set("unemittedDatagrams", static_cast<double>(stats.emitter.passedOver));
        object.Set("failedDatagrams", static_cast<double>(stats.emitter.failed));
        object.Set("droppedDatagrams", static_cast<double>(stats.dropped));
        return object;
    }

    Napi::Value Close(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), kClosed);
        return thread_.Close(info.Env(), [this](Napi::Env at) {
            Deliver(at);
            onDatagrams_.Reset();
            onEnd_.Reset();
            Unref();
        });
    }
};

}  // namespace

void RegisterDecapsulator(Napi::Env env, Napi::Object exports) {
    exports.Set("Decapsulator", Decapsulator::Define(env));
}

}  // namespace streamverse::link
