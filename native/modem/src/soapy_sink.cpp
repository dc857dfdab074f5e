#include <SoapySDR/Constants.h>
#include <SoapySDR/Errors.h>
#include <SoapySDR/Formats.h>

#include <utility>
#include <vector>

#include "modem/src/sample_sink.hpp"
#include "modem/src/soapy_library.hpp"

namespace streamverse::modem {

namespace {

constexpr long kWaitUs = 100'000;                   // between looks at `stop`
constexpr unsigned kSilentMax = 50;                 // waits in turn, after which the device is taken for dead
constexpr float kUnitFloat = kUnitInteger / 32768;  // drivers take a float of 1 as full scale

class SoapySink final : public SampleSink {
 public:
    SoapySink(SoapyOptions options, SampleFormat format) : options_(std::move(options)), format_(format) {}

    ~SoapySink() override {
        if (stream_ != nullptr) {
            soapy_->deactivateStream(device_, stream_, 0, 0);
            soapy_->closeStream(device_, stream_);
        }
        if (device_ != nullptr) {
            soapy_->unmake(device_);
        }
    }

    void Open(const std::atomic<bool>&) override {
        soapy_ = &LoadSoapy();
        device_ = soapy_->make(options_.arguments.c_str());
        Expect(device_ != nullptr, "opening the device");
        const size_t channel = options_.channel;
        if (!options_.antenna.empty()) {
            Expect(soapy_->setAntenna(device_, SOAPY_SDR_TX, channel, options_.antenna.c_str()) == 0,
                   "choosing the antenna");
        }
        Expect(soapy_->setSampleRate(device_, SOAPY_SDR_TX, channel, options_.sampleRate) == 0,
               "setting the sample rate");
        Expect(soapy_->setFrequency(device_, SOAPY_SDR_TX, channel, options_.frequencyHz, nullptr) == 0,
               "setting the frequency");
        Expect(soapy_->setGain(device_, SOAPY_SDR_TX, channel, options_.gainDb) == 0, "setting the gain");
        const char* format = format_ == SampleFormat::kFloat ? SOAPY_SDR_CF32 : SOAPY_SDR_CS16;
        stream_ = soapy_->setupStream(device_, SOAPY_SDR_TX, format, &channel, 1, nullptr);
        Expect(stream_ != nullptr, "making the stream");
        Expect(soapy_->activateStream(device_, stream_, 0, 0, 0) == 0, "starting the stream");
    }

    void Write(std::span<const uint8_t> bytes, const std::atomic<bool>& stop) override {
        if (format_ == SampleFormat::kFloat) {
            bytes = Reduce(bytes);
        }
        unsigned silent = 0;
        while (!bytes.empty() && !stop) {
            const void* buffers[] = {bytes.data()};
            int flags = 0;
            const int count = soapy_->writeStream(device_, stream_, buffers,
                                                  bytes.size() / SampleBytes(format_), &flags, 0, kWaitUs);
            if (count > 0) {
                bytes = bytes.subspan(static_cast<size_t>(count) * SampleBytes(format_));
                silent = 0;
            } else if (count == SOAPY_SDR_UNDERFLOW) {
                ++underruns_;
            } else {
                ++silent;
                Expect((count == 0 || count == SOAPY_SDR_TIMEOUT) && silent < kSilentMax, "writing samples");
            }
        }
        ReadStatus();
    }

    bool HasClock() const override { return true; }
    uint64_t underruns() const override { return underruns_; }

 private:
    SoapyOptions options_;
    SampleFormat format_;
    const SoapyLibrary* soapy_ = nullptr;
    SoapySDRDevice* device_ = nullptr;
    SoapySDRStream* stream_ = nullptr;
    bool tellsStatus_ = true;
    uint64_t underruns_ = 0;
    std::vector<float> reduced_;

    void Expect(bool holds, const char* what) const {
        if (!holds) {
            throw OutputError(std::string("SoapySDR, ") + what + ": " + soapy_->lastError());
        }
    }

    std::span<const uint8_t> Reduce(std::span<const uint8_t> bytes) {
        const std::span<const float> values(reinterpret_cast<const float*>(bytes.data()),
                                            bytes.size() / sizeof(float));
        reduced_.clear();
        for (const float value : values) {
            reduced_.push_back(value * kUnitFloat);
        }
        return {reinterpret_cast<const uint8_t*>(reduced_.data()), bytes.size()};
    }

    // Not every driver tells; one that cannot is not asked again.
    void ReadStatus() {
        int status = 0;
        while (tellsStatus_ && status != SOAPY_SDR_TIMEOUT) {
            size_t mask = 0;
            int flags = 0;
            long long timeNs = 0;
            status = soapy_->readStreamStatus(device_, stream_, &mask, &flags, &timeNs, 0);
            underruns_ += status == SOAPY_SDR_UNDERFLOW ? 1 : 0;
            tellsStatus_ = status == 0 || status == SOAPY_SDR_TIMEOUT || status == SOAPY_SDR_UNDERFLOW ||
                           status == SOAPY_SDR_TIME_ERROR;
        }
    }
};

}  // namespace

std::unique_ptr<SampleSink> MakeSoapySink(const SoapyOptions& options, SampleFormat format) {
    return std::make_unique<SoapySink>(options, format);
}

}  // namespace streamverse::modem
