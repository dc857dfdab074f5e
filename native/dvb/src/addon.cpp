// Frontend and Reader for JavaScript. What can wait runs on a thread; bytes cross in batches.
#include <napi.h>

#include <memory>
#include <utility>

#include "binding/thread_owner.hpp"
#include "binding/value.hpp"
#include "dvb/src/arguments.hpp"
#include "dvb/src/dvb_error.hpp"
#include "dvb/src/read_thread.hpp"

namespace streamverse::dvb {
namespace {

using binding::Arguments;
using binding::CodedError;

template <typename Work>
auto Guarded(Napi::Env env, Work work) {
    try {
        return work();
    } catch (const DvbError& error) {
        throw CodedError(env, error.code(), error.what());
    } catch (const std::bad_alloc&) {
        throw CodedError(env, "NATIVE_DVB_IO", "no memory for what the device gives");
    }
}

// Runs `work` on a pool thread; the promise gets what `write` makes of its result, or its DvbError.
template <typename Result>
class Task final : public Napi::AsyncWorker {
 public:
    using Work = std::function<Result()>;
    using Write = std::function<Napi::Value(Napi::Env, const Result&)>;

    static Napi::Promise Start(Napi::Env env, Work work, Write write) {
        auto* task = new Task(env, std::move(work), std::move(write));
        const Napi::Promise promise = task->deferred_.Promise();
        task->Queue();
        return promise;
    }

 protected:
    void Execute() override {
        try {
            result_ = work_();
        } catch (const DvbError& error) {
            code_ = error.code();
            SetError(error.what());
        } catch (const std::exception& error) {
            SetError(error.what());
        }
    }
    void OnOK() override { deferred_.Resolve(write_(Env(), result_)); }
    void OnError(const Napi::Error& error) override {
        deferred_.Reject(CodedError(Env(), code_, error.Message()).Value());
    }

 private:
    Task(Napi::Env env, Work work, Write write)
        : Napi::AsyncWorker(env), work_(std::move(work)), write_(std::move(write)), deferred_(env) {}

    Work work_;
    Write write_;
    Result result_{};
    const char* code_ = "NATIVE_DVB_IO";
    Napi::Promise::Deferred deferred_;
};

struct Nothing {};

Napi::Value Undefined(Napi::Env env, const Nothing&) {
    return env.Undefined();
}

// A tuner. Collected, or with its environment gone, it gives the device back.
class FrontendHandle final : public Napi::ObjectWrap<FrontendHandle> {
 public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(env, "Frontend",
                           {InstanceMethod<&FrontendHandle::Tune>("tune"),
                            InstanceMethod<&FrontendHandle::Statistics>("statistics"),
                            InstanceMethod<&FrontendHandle::Close>("close")});
    }

    explicit FrontendHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<FrontendHandle>(info) {
        const Arguments from(info[0], kArgument);
        const auto adapter = static_cast<uint32_t>(from.Whole("adapter", 0, 255));
        const auto number = static_cast<uint32_t>(from.Whole("frontend", 0, 255));
        frontend_ = Guarded(info.Env(),
                            [&] { return std::make_shared<Frontend>(OpenKernelFrontend(adapter, number)); });
    }

 private:
    Napi::Value Tune(const Napi::CallbackInfo& info) {
        return Task<Nothing>::Start(
            info.Env(),
            [frontend = frontend_, tuning = ReadTuning(info[0]), antenna = ReadAntenna(info[1])] {
                frontend->Tune(tuning, antenna);
                return Nothing{};
            },
            Undefined);
    }

    Napi::Value Statistics(const Napi::CallbackInfo& info) {
        return Task<dvb::Statistics>::Start(
            info.Env(), [frontend = frontend_] { return frontend->ReadStatistics(); }, WriteStatistics);
    }

    Napi::Value Close(const Napi::CallbackInfo& info) {
        return Task<Nothing>::Start(
            info.Env(),
            [frontend = frontend_] {
                frontend->Close();
                return Nothing{};
            },
            Undefined);
    }

    std::shared_ptr<Frontend> frontend_;
};

DemuxReading OpenReading(const Napi::Value& value, uint32_t bufferBytes) {
    const Arguments from(value, kArgument);
    const DemuxPath path = ReadDemuxPath(value);
    const std::string kind = from.Text("kind");
    if (kind == "sections") {
        return OpenSections(path, ReadSectionFilter(value), bufferBytes);
    }
    if (kind == "pes") {
        return OpenPes(path, static_cast<uint16_t>(from.Whole("pid", 0, kPidMax)), bufferBytes);
    }
    return OpenTransportStream(path, ReadPids(value), bufferBytes);
}

class Reader final : public Napi::ObjectWrap<Reader> {
 public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(
            env, "Reader",
            {InstanceMethod<&Reader::Stats>("stats"), InstanceMethod<&Reader::Close>("close")});
    }

    explicit Reader(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Reader>(info) {
        const Napi::Env env = info.Env();
        const Arguments from(info[0], kArgument);
        const auto bufferBytes = static_cast<uint32_t>(from.Whole("bufferBytes", 4096, 1 << 28));
        ReadOptions options{.keepLengths = from.Text("kind") == "sections",
                            .queueBytesMax = from.Whole("queueBytesMax", 4096, 1 << 30),
                            .readBytesMax = from.Whole("readBytesMax", 4096, 1 << 24)};
        onBatch_ = Napi::Persistent(from.Callback("onBatch"));
        options.descriptors = Guarded(env, [&] { return OpenReading(info[0], bufferBytes).descriptors; });
        thread_.Start(
            env, "DVB reader", [this](Napi::Env at) { Deliver(at); },
            [&](std::function<void()> ring) {
                return Guarded(
                    env, [&] { return std::make_unique<ReadThread>(std::move(options), std::move(ring)); });
            });
        Ref();
    }

 private:
    void Deliver(Napi::Env env) {
        if (onBatch_.IsEmpty()) {
            return;
        }
        const Napi::HandleScope scope(env);
        const ReadBatch batch = thread_->Take();
        Napi::Object object = Napi::Object::New(env);
        object.Set("bytes", Napi::Buffer<uint8_t>::Copy(env, batch.bytes.data(), batch.bytes.size()));
        object.Set("lengths", binding::CopyOf<Napi::Uint32Array>(env, batch.lengths));
        object.Set("ended", thread_.closing() || thread_->Stats().ended);
        onBatch_.Call({object});
    }

    Napi::Value Stats(const Napi::CallbackInfo& info) {
        const ReadStats stats = thread_->Stats();
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("bytes", static_cast<double>(stats.bytes));
        object.Set("overruns", static_cast<double>(stats.overruns));
        object.Set("dropped", static_cast<double>(stats.dropped));
        object.Set("damaged", static_cast<double>(stats.damaged));
        if (stats.error != 0) {
            const DvbError fault = SystemFault("the device is read no more", stats.error);
            object.Set("error", CodedError(info.Env(), fault.code(), fault.what()).Value());
        }
        return object;
    }

    Napi::Value Close(const Napi::CallbackInfo& info) {
        thread_.RequireOpen(info.Env(), "NATIVE_DVB_CLOSED");
        return thread_.Close(info.Env(), [this](Napi::Env at) {
            Deliver(at);
            onBatch_.Reset();
            Unref();
        });
    }

    Napi::FunctionReference onBatch_;
    binding::ThreadOwner<ReadThread> thread_;
};

Napi::Value List(const Napi::CallbackInfo& info) {
    return Task<std::vector<FrontendFacts>>::Start(
        info.Env(), ListFrontends, [](Napi::Env env, const std::vector<FrontendFacts>& list) -> Napi::Value {
            Napi::Array array = Napi::Array::New(env);
            for (const FrontendFacts& facts : list) {
                array.Set(array.Length(), WriteFacts(env, facts));
            }
            return array;
        });
}

Napi::Value Plan(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const Tuning tuning = ReadTuning(info[0]);
    const Antenna antenna = ReadAntenna(info[1]);
    return Guarded(env, [&] {
        const AntennaPlan plan = PlanAntenna(tuning, antenna);
        return WritePlan(env, plan, TuningProperties(tuning, plan.tunerKhz));
    });
}

Napi::Value AddNet(const Napi::CallbackInfo& info) {
    const Arguments from(info[0], kArgument);
    const auto pid = static_cast<uint16_t>(from.Whole("pid", 0, kPidMax));
    const NetEncapsulation encapsulation = from.Flag("ule") ? NetEncapsulation::ule : NetEncapsulation::mpe;
    const DemuxPath path = ReadDemuxPath(info[0]);
    return Napi::String::New(info.Env(),
                             Guarded(info.Env(), [&] { return AddNetInterface(path, pid, encapsulation); }));
}

void RemoveNet(const Napi::CallbackInfo& info) {
    const Arguments from(info[0], kArgument);
    const auto number = static_cast<uint32_t>(from.Whole("number", 0, 255));
    const DemuxPath path = ReadDemuxPath(info[0]);
    Guarded(info.Env(), [&] { RemoveNetInterface(path, number); });
}

}  // namespace

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
    exports.Set("Frontend", FrontendHandle::Define(env));
    exports.Set("Reader", Reader::Define(env));
    exports.Set("listFrontends", Napi::Function::New(env, List));
    exports.Set("planTuning", Napi::Function::New(env, Plan));
    exports.Set("addNetInterface", Napi::Function::New(env, AddNet));
    exports.Set("removeNetInterface", Napi::Function::New(env, RemoveNet));
    return exports;
}

NODE_API_MODULE(dvb, Init)

}  // namespace streamverse::dvb
