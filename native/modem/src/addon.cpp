// The modem addon: the list of MODCODs, and a transmit chain that takes and gives bytes.
#include <napi.h>

#include <cmath>
#include <memory>
#include <stdexcept>

#include "binding/value.hpp"
#include "modem/src/binding.hpp"
#include "modem/src/pl_scrambler.hpp"
#include "modem/src/transmit_chain.hpp"

namespace {

using namespace streamverse::modem;
using streamverse::binding::Arguments;
using streamverse::binding::CodedError;

const char* SizeName(FrameSize size) {
    return size == FrameSize::kNormal ? "normal" : size == FrameSize::kMedium ? "medium" : "short";
}

Napi::Object ModcodObject(Napi::Env env, unsigned pls, const Modcod& modcod) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("pls", pls);
    entry.Set("name", modcod.name);
    entry.Set("modulation", modcod.modulation);
    entry.Set("rate", modcod.code->rate);
    entry.Set("frame", SizeName(modcod.code->size));
    entry.Set("pilots", modcod.pilots);
    entry.Set("bitsPerSymbol", modcod.bitsPerSymbol);
    entry.Set("bbFrameBits", modcod.code->kbch);
    entry.Set("frameSymbols", PlFrameSymbols(modcod));
    if (!std::isnan(modcod.thresholdDb)) {
        entry.Set("thresholdDb", std::round(double{modcod.thresholdDb} * 100) / 100);
    }
    return entry;
}

Napi::Value ListModcods(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Napi::Array list = Napi::Array::New(env);
    for (unsigned pls = 0; pls < 256; ++pls) {
        if (kModcods[pls].code != nullptr) {
            list.Set(list.Length(), ModcodObject(env, pls, kModcods[pls]));
        }
    }
    for (const VlSnr& mode : kVlSnr) {
        list.Set(list.Length(), ModcodObject(env, kVlSnrFirst + mode.headerIndex, mode.modcod));
    }
    return list;
}

ChainOptions ReadOptions(const Napi::Value& value) {
    const Arguments arguments(value, kArgumentCode);
    ChainOptions options{};
    options.pls = static_cast<uint16_t>(arguments.Whole("pls", 0, 511));
    options.goldIndex = static_cast<uint32_t>(arguments.Whole("goldIndex", 0, kGoldIndexMax));
    options.stage = static_cast<Stage>(arguments.Whole("stage", 0, static_cast<double>(Stage::kSamples)));
    options.isTransport = arguments.Flag("transport");
    options.header.rollOff = static_cast<uint8_t>(arguments.Whole("rollOffCode", 0, 3));
    options.alternatesRollOff = arguments.Flag("alternatesRollOff");
    options.format = arguments.Flag("integers") ? SampleFormat::kInteger : SampleFormat::kFloat;
    if (arguments.Has("rollOff")) {
        options.shape = Shape{arguments.Positive("rollOff"),
                              static_cast<unsigned>(arguments.Whole("interpolate", 1, kPhasesMax)),
                              static_cast<unsigned>(arguments.Whole("decimate", 1, kPhasesMax))};
    }
    return options;
}

class Chain : public Napi::ObjectWrap<Chain> {
 public:
    static void Register(Napi::Env env, Napi::Object exports) {
        exports.Set("TransmitChain", DefineClass(env, "TransmitChain",
                                                 {InstanceMethod("write", &Chain::Write),
                                                  InstanceMethod("finish", &Chain::Finish),
                                                  InstanceMethod("totals", &Chain::Totals)}));
    }

    explicit Chain(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Chain>(info) {
        const ChainOptions options = ReadOptions(info[0]);
        Guard(info.Env(), kArgumentCode, [&] { chain_ = std::make_unique<TransmitChain>(options); });
    }

 private:
    std::unique_ptr<TransmitChain> chain_;

    template <typename Work>
    static void Guard(Napi::Env env, const char* code, Work&& work) {
        try {
            work();
        } catch (const std::invalid_argument& error) {
            throw CodedError(env, code, error.what());
        }
    }

    Napi::Value Write(const Napi::CallbackInfo& info) {
        if (info.Length() != 1 || !info[0].IsTypedArray() ||
            info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
            throw CodedError(info.Env(), kArgumentCode, "write takes a Uint8Array");
        }
        const auto bytes = info[0].As<Napi::Uint8Array>();
        std::vector<uint8_t> output;
        Guard(info.Env(), kInputCode, [&] { output = chain_->Write({bytes.Data(), bytes.ByteLength()}); });
        return Napi::Buffer<uint8_t>::Copy(info.Env(), output.data(), output.size());
    }

    Napi::Value Finish(const Napi::CallbackInfo& info) {
        std::vector<uint8_t> output;
        Guard(info.Env(), kInputCode, [&] { output = chain_->Finish(); });
        return Napi::Buffer<uint8_t>::Copy(info.Env(), output.data(), output.size());
    }

    Napi::Value Totals(const Napi::CallbackInfo& info) {
        Napi::Object totals = Napi::Object::New(info.Env());
        totals.Set("frames", static_cast<double>(chain_->frames()));
        totals.Set("symbols", static_cast<double>(chain_->symbols()));
        return totals;
    }
};

Napi::Object Init(Napi::Env env, Napi::Object exports) {
    exports.Set("listModcods", Napi::Function::New(env, ListModcods, "listModcods"));
    Chain::Register(env, exports);
    exports.Set("Modulator", DefineModulator(env));
    exports.Set("Receiver", DefineReceiver(env));
    return exports;
}

}  // namespace

NODE_API_MODULE(modem, Init)
