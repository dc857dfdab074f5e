// Encoder and Decoder: the link layer without threads and sockets.
#include <utility>

#include "link/src/binding.hpp"

namespace streamverse::link {

namespace {

using binding::Arguments;
using binding::CodedError;

constexpr size_t kPulledBytesMax = size_t{1} << 30;
constexpr size_t kFindingsMax = 4096;
constexpr size_t kFindingMarks = 3;

class Encoder final : public Napi::ObjectWrap<Encoder> {
 public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(env, "Encoder",
                           {InstanceMethod<&Encoder::Push>("push"), InstanceMethod<&Encoder::Pull>("pull"),
                            InstanceMethod<&Encoder::Stats>("stats")});
    }

    explicit Encoder(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Encoder>(info) {
        const Arguments from(info[0], kArgument);
        encoder_ =
            Guarded(info.Env(), [&] { return std::make_unique<LinkEncoder>(ReadEncoderOptions(from)); });
    }

 private:
    std::unique_ptr<LinkEncoder> encoder_;
    uint64_t dropped_ = 0;
    uint64_t droppedBytes_ = 0;
    uint64_t refused_ = 0;

    Napi::Value Push(const Napi::CallbackInfo& info) {
        const Bytes datagram = ReadBytes(info, 0);
        const auto serviceId = static_cast<uint16_t>(info[1].ToNumber().Uint32Value());
        const Pushed pushed = encoder_->Push(serviceId, datagram);
        refused_ += pushed == Pushed::kRefused ? 1 : 0;
        dropped_ += pushed == Pushed::kDropped ? 1 : 0;
        droppedBytes_ += pushed == Pushed::kDropped ? datagram.size() : 0;
        return Napi::Boolean::New(info.Env(), pushed == Pushed::kTaken);
    }

    Napi::Value Pull(const Napi::CallbackInfo& info) {
        const double units = info[0].ToNumber().DoubleValue();
        if (!(units >= 0) || units * static_cast<double>(encoder_->unitBytes()) > kPulledBytesMax) {
            throw CodedError(info.Env(), kArgument, "at most 1 GiB is made at once");
        }
        const auto count = static_cast<size_t>(units);
        auto output = Napi::Buffer<uint8_t>::New(info.Env(), count * encoder_->unitBytes());
        encoder_->Write(count, output.Data());
        return output;
    }

    Napi::Value Stats(const Napi::CallbackInfo& info) {
        Napi::Object object = ToObject(info.Env(), encoder_->totals());
        object.Set("droppedDatagrams", static_cast<double>(dropped_));
        object.Set("droppedBytes", static_cast<double>(droppedBytes_));
        object.Set("refusedDatagrams", static_cast<double>(refused_));
        object.Set("queuedBytes", static_cast<double>(encoder_->queuedBytes()));
        return object;
    }
};

class Decoder final : public Napi::ObjectWrap<Decoder>, private Listener {
 public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(
            env, "Decoder",
            {InstanceMethod<&Decoder::Write>("write"), InstanceMethod<&Decoder::Contents>("contents"),
             InstanceMethod<&Decoder::Stats>("stats")});
    }

    explicit Decoder(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Decoder>(info) {
        const Arguments from(info[0], kArgument);
        isDatagrams_ = from.Flag("datagrams");
        Listener& listener = *this;
        decoder_ = std::make_unique<LinkDecoder>(
            listener, ReadSelection(Arguments(from.Get("select"), kArgument)), ReadFrameBytes(from));
    }

 private:
    bool isDatagrams_ = false;
    std::unique_ptr<LinkDecoder> decoder_;
    double timeMs_ = 0;
    DatagramBatch batch_;
    std::vector<uint16_t> marks_;
    std::vector<double> positions_;

    void OnDatagram(const Origin& origin, Bytes datagram) override {
        batch_.Add(origin, datagram, decoder_->totals().carrierBytes, timeMs_);
    }

    void OnDamage(const Origin& origin, Damage damage) override {
        if (positions_.size() < kFindingsMax) {
            marks_.insert(marks_.end(), {static_cast<uint16_t>(damage), origin.pid, origin.inputStream});
            positions_.push_back(static_cast<double>(decoder_->totals().carrierBytes));
        }
    }

    Napi::Value Write(const Napi::CallbackInfo& info) {
        const Napi::Env env = info.Env();
        const Bytes bytes = ReadBytes(info, 0);
        timeMs_ = info[1].ToNumber().DoubleValue();
        Guarded(env, [&] {
            if (isDatagrams_) {
                decoder_->OnDatagram(bytes);
            } else {
                decoder_->OnBytes(bytes);
            }
        });
        Napi::Object findings = Napi::Object::New(env);
        Napi::Uint16Array marks = Napi::Uint16Array::New(env, positions_.size() * kFindingMarks);
        std::copy(marks_.begin(), marks_.end(), marks.Data());
        Napi::Float64Array positions = Napi::Float64Array::New(env, positions_.size());
        std::copy(positions_.begin(), positions_.end(), positions.Data());
        findings.Set("marks", marks);
        findings.Set("positions", positions);
        Napi::Object result = Napi::Object::New(env);
        result.Set("datagrams", ToObject(env, batch_));
        result.Set("findings", findings);
        batch_ = {};
        marks_.clear();
        positions_.clear();
        return result;
    }

    Napi::Value Contents(const Napi::CallbackInfo& info) { return ContentsOf(info.Env(), *decoder_); }
    Napi::Value Stats(const Napi::CallbackInfo& info) { return ToObject(info.Env(), decoder_->totals()); }
};

}  // namespace

void RegisterCoders(Napi::Env env, Napi::Object exports) {
    exports.Set("Encoder", Encoder::Define(env));
    exports.Set("Decoder", Decoder::Define(env));
}

}  // namespace streamverse::link
