#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

#include "binding/value.hpp"
#include "modem/receive/receiver.hpp"
#include "modem/src/binding.hpp"
#include "modem/src/pl_scrambler.hpp"
#include "modem/src/sample_format.hpp"

namespace streamverse::modem {

namespace {

using binding::Arguments;
using binding::CodedError;
using receive::ReceivedFrame;

// What the object and its work share: a worker may outlive the object.
struct Shared {
    explicit Shared(const receive::ReceiverOptions& options) : receiver(options) {}
    receive::Receiver receiver;
    SampleFormat format = SampleFormat::kFloat;
    std::vector<uint8_t> rest;  // a part of a sample
    bool isBusy = false;
};

std::vector<Point> ReadSamples(Shared& shared, std::span<const uint8_t> bytes) {
    std::vector<uint8_t>& rest = shared.rest;
    rest.insert(rest.end(), bytes.begin(), bytes.end());
    const size_t count = rest.size() / SampleBytes(shared.format);
    std::vector<Point> samples(count);
    for (size_t sample = 0; sample < count; ++sample) {
        if (shared.format == SampleFormat::kFloat) {
            std::memcpy(&samples[sample], rest.data() + sample * sizeof(Point), sizeof(Point));
        } else {
            int16_t pair[2];
            std::memcpy(pair, rest.data() + sample * sizeof pair, sizeof pair);
            samples[sample] = {pair[0] / kUnitInteger, pair[1] / kUnitInteger};
        }
    }
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count * SampleBytes(shared.format)));
    return samples;
}

Napi::Object FrameObject(Napi::Env env, const ReceivedFrame& frame) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("pls", unsigned{frame.pls});
    if (!frame.bbFrame.empty()) {
        object.Set("bytes", Napi::Buffer<uint8_t>::Copy(env, frame.bbFrame.data(), frame.bbFrame.size()));
    }
    object.Set("ldpcIterations", frame.ldpcIterations);
    object.Set("bitsCorrected", frame.bitsCorrected);
    object.Set("merDb", frame.modulationErrorDb);
    return object;
}

class Receiving final : public Napi::AsyncWorker {
 public:
    Receiving(Napi::Env env, std::shared_ptr<Shared> shared, std::vector<uint8_t> bytes, bool isLast)
        : Napi::AsyncWorker(env),
          deferred_(env),
          shared_(std::move(shared)),
          bytes_(std::move(bytes)),
          isLast_(isLast) {
        shared_->isBusy = true;
    }

    Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
    void Execute() override {
        shared_->receiver.Append(ReadSamples(*shared_, bytes_), frames_);
        if (isLast_) {
            shared_->receiver.Finish(frames_);
        }
    }

    void OnOK() override {
        shared_->isBusy = false;
        Napi::Array list = Napi::Array::New(Env(), frames_.size());
        for (uint32_t index = 0; index < frames_.size(); ++index) {
            list.Set(index, FrameObject(Env(), frames_[index]));
        }
        deferred_.Resolve(list);
    }

    void OnError(const Napi::Error& error) override {
        shared_->isBusy = false;
        deferred_.Reject(error.Value());
    }

 private:
    Napi::Promise::Deferred deferred_;
    std::shared_ptr<Shared> shared_;
    std::vector<uint8_t> bytes_;
    bool isLast_;
    std::vector<ReceivedFrame> frames_;
};

class ReceiverObject final : public Napi::ObjectWrap<ReceiverObject> {
 public:
    explicit ReceiverObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ReceiverObject>(info) {
        const Arguments from(info[0], kArgumentCode);
        receive::ReceiverOptions options{};
        options.samplesPerSymbol = from.Positive("samplesPerSymbol");
        options.rollOff = from.Positive("rollOff");
        options.goldIndex = static_cast<uint32_t>(from.Whole("goldIndex", 0, kGoldIndexMax));
        try {
            shared_ = std::make_shared<Shared>(options);
        } catch (const std::invalid_argument& error) {
            throw CodedError(info.Env(), kArgumentCode, error.what());
        }
        shared_->format = from.Flag("integers") ? SampleFormat::kInteger : SampleFormat::kFloat;
    }

    Napi::Value Write(const Napi::CallbackInfo& info) {
        if (info.Length() != 1 || !info[0].IsTypedArray() ||
            info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
            throw CodedError(info.Env(), kArgumentCode, "write takes a Uint8Array");
        }
        const auto bytes = info[0].As<Napi::Uint8Array>();
        return Start(info.Env(), {bytes.Data(), bytes.Data() + bytes.ByteLength()}, false);
    }

    Napi::Value Finish(const Napi::CallbackInfo& info) { return Start(info.Env(), {}, true); }

    Napi::Value Totals(const Napi::CallbackInfo& info) {
        RequireIdle(info.Env());
        const receive::ReceiverTotals& totals = shared_->receiver.totals();
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("frames", static_cast<double>(totals.frames));
        object.Set("failedFrames", static_cast<double>(totals.failedFrames));
        object.Set("dummyFrames", static_cast<double>(totals.dummyFrames));
        object.Set("syncLosses", static_cast<double>(totals.syncLosses));
        object.Set("symbols", static_cast<double>(totals.symbols));
        object.Set("merDb", totals.modulationErrorDb);
        object.Set("frequencyOffset", totals.frequencyOffset);
        object.Set("samplesPerSymbol", totals.samplesPerSymbol);
        return object;
    }

    Napi::Value Constellation(const Napi::CallbackInfo& info) {
        RequireIdle(info.Env());
        const auto symbols = shared_->receiver.constellation();
        Napi::Float32Array array = Napi::Float32Array::New(info.Env(), 2 * symbols.size());
        std::memcpy(array.Data(), symbols.data(), symbols.size_bytes());
        return array;
    }

 private:
    std::shared_ptr<Shared> shared_;

    void RequireIdle(Napi::Env env) const {
        if (shared_->isBusy) {
            throw CodedError(env, kArgumentCode, "the receiver is at work");
        }
    }

    Napi::Value Start(Napi::Env env, std::vector<uint8_t> bytes, bool isLast) {
        RequireIdle(env);
        auto* work = new Receiving(env, shared_, std::move(bytes), isLast);
        const Napi::Promise promise = work->promise();
        work->Queue();
        return promise;
    }
};

}  // namespace

Napi::Function DefineReceiver(Napi::Env env) {
    using Object = ReceiverObject;
    return Object::DefineClass(
        env, "Receiver",
        {Object::InstanceMethod<&Object::Write>("write"), Object::InstanceMethod<&Object::Finish>("finish"),
         Object::InstanceMethod<&Object::Totals>("totals"),
         Object::InstanceMethod<&Object::Constellation>("constellation")});
}

}  // namespace streamverse::modem
