// A transmitter for tests, as a module of SoapySDR: it takes samples at its rate, keeps them in the file
// `record`, and says once that it ran dry, after `dry` samples. `broken=true` gives one that stops taking
// samples.
#include <SoapySDR/Device.hpp>
#include <SoapySDR/Errors.hpp>
#include <SoapySDR/Formats.hpp>
#include <SoapySDR/Registry.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

std::string ValueOf(const SoapySDR::Kwargs& arguments, const std::string& name) {
    const auto found = arguments.find(name);
    return found == arguments.end() ? std::string() : found->second;
}

class Recorder final : public SoapySDR::Device {
 public:
    explicit Recorder(const SoapySDR::Kwargs& arguments)
        : file_(ValueOf(arguments, "record"), std::ios::binary),
          dryAfter_(std::strtoull(ValueOf(arguments, "dry").c_str(), nullptr, 10)),
          isBroken_(ValueOf(arguments, "broken") == "true") {
        if (!file_) {
            throw std::runtime_error("the recorder cannot write its file");
        }
    }

    std::string getDriverKey() const override { return "recorder"; }
    size_t getNumChannels(const int direction) const override { return direction == SOAPY_SDR_TX ? 1 : 0; }
    void setSampleRate(const int, const size_t, const double rate) override { rate_ = rate; }
    void setGain(const int, const size_t, const double) override {}
    void setFrequency(const int, const size_t, const double frequency, const SoapySDR::Kwargs&) override {
        if (frequency < 1e6) {
            throw std::runtime_error("below the recorder's range");
        }
    }

    SoapySDR::Stream* setupStream(const int, const std::string& format, const std::vector<size_t>&,
                                  const SoapySDR::Kwargs&) override {
        sampleBytes_ = SoapySDR::formatToSize(format);
        return reinterpret_cast<SoapySDR::Stream*>(this);
    }
    void closeStream(SoapySDR::Stream*) override { file_.close(); }
    int activateStream(SoapySDR::Stream*, const int, const long long, const size_t) override {
        begun_ = Clock::now();
        return 0;
    }
    int deactivateStream(SoapySDR::Stream*, const int, const long long) override { return 0; }

    int writeStream(SoapySDR::Stream*, const void* const* buffers, const size_t count, int&, const long long,
                    const long) override {
        constexpr size_t kMost = 1000;
        if (isBroken_) {
            return SOAPY_SDR_STREAM_ERROR;
        }
        const size_t taken = std::min(count, kMost);
        file_.write(static_cast<const char*>(buffers[0]), static_cast<std::streamsize>(taken * sampleBytes_));
        written_ += taken;
        std::this_thread::sleep_until(
            begun_ + std::chrono::duration_cast<Clock::duration>(
                         std::chrono::duration<double>(static_cast<double>(written_) / rate_)));
        return static_cast<int>(taken);
    }

    int readStreamStatus(SoapySDR::Stream*, size_t&, int&, long long&, const long) override {
        if (dryAfter_ > 0 && written_ >= dryAfter_) {
            dryAfter_ = 0;
            return SOAPY_SDR_UNDERFLOW;
        }
        return SOAPY_SDR_TIMEOUT;
    }

 private:
    std::ofstream file_;
    uint64_t dryAfter_;
    bool isBroken_;
    double rate_ = 1;
    size_t sampleBytes_ = 0;
    uint64_t written_ = 0;
    Clock::time_point begun_;
};

SoapySDR::KwargsList Find(const SoapySDR::Kwargs& arguments) {
    SoapySDR::Kwargs found = arguments;
    found["driver"] = "recorder";
    return {found};
}

SoapySDR::Device* Make(const SoapySDR::Kwargs& arguments) {
    return new Recorder(arguments);
}

const SoapySDR::Registry kRegistration("recorder", &Find, &Make, SOAPY_SDR_ABI_VERSION);

}  // namespace
