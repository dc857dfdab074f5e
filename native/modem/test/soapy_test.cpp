// What a transmitter gets through SoapySDR, from a driver of the test's own: the frames are in it, with dummy
// frames where there was no data, and what the driver says of itself is told.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <stdexcept>

#include "modem/receive/receiver.hpp"
#include "modem/src/modulator.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::modem;

constexpr uint16_t kPls = 7;  // QPSK 1/4, short, pilots
constexpr double kSampleRate = 2e6;
constexpr std::chrono::seconds kDeadline{60};

struct Changes {
    std::mutex mutex;
    std::condition_variable changed;
    unsigned count = 0;

    void Note() {
        {
            const std::lock_guard<std::mutex> lock(mutex);
            ++count;
        }
        changed.notify_all();
    }
};

SoapyOptions Transmitter(const std::string& arguments, double frequencyHz = 1.2e9) {
    return {.arguments = "driver=recorder," + arguments,
            .frequencyHz = frequencyHz,
            .gainDb = 10,
            .sampleRate = kSampleRate,
            .antenna = ""};
}

// Until `isMet`, which is asked again whenever something changed.
template <typename Condition>
void Await(Changes& changes, const Modulator& modulator, Condition isMet) {
    std::unique_lock<std::mutex> lock(changes.mutex);
    CHECK(changes.changed.wait_for(lock, kDeadline, [&] { return isMet(modulator.Totals()); }));
}

ModulatorOptions Options(SampleFormat format) {
    ModulatorOptions options{};
    InputStream stream{};
    stream.pls = kPls;
    stream.isTransport = false;
    options.streams = {stream};
    options.shape = Shape{0.2, 2};
    options.format = format;
    options.sampleRate = kSampleRate;
    options.queueBytesMax = 1 << 20;
    return options;
}

std::vector<Point> ReadRecord(const std::string& path, SampleFormat format) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    std::vector<Point> samples(bytes.size() / SampleBytes(format));
    for (size_t sample = 0; sample < samples.size(); ++sample) {
        if (format == SampleFormat::kFloat) {
            std::copy_n(bytes.data() + sample * sizeof(Point), sizeof(Point),
                        reinterpret_cast<char*>(&samples[sample]));
        } else {
            int16_t pair[2];
            std::copy_n(bytes.data() + sample * sizeof pair, sizeof pair, reinterpret_cast<char*>(pair));
            samples[sample] = {static_cast<float>(pair[0]) / 32768, static_cast<float>(pair[1]) / 32768};
        }
    }
    return samples;
}

void CheckTransmission(SampleFormat format, const std::string& path) {
    Changes changes;
    const std::vector<uint8_t> frames(3 * BbFrameBytes(ModcodOf(kPls)), 0x5A);
    ModulatorTotals totals;
    {
        Modulator modulator(Options(format),
                            MakeSoapySink(Transmitter("record=" + path + ",dry=5000"), format),
                            [&] { changes.Note(); });
        CHECK(modulator.Append(0, std::nullopt, frames));
        Await(changes, modulator, [](const ModulatorTotals& now) { return now.isIdle && now.frames == 3; });
        CHECK(modulator.Append(0, std::nullopt, frames));
        Await(changes, modulator, [](const ModulatorTotals& now) { return now.isIdle && now.frames == 6; });
        modulator.Stop();
        totals = modulator.Totals();
    }
    CHECK(totals.underruns == 1);
    CHECK(!totals.failure.has_value());
    const std::vector<Point> samples = ReadRecord(path, format);
    std::printf("%zu of %zu samples, %zu dummy frames\n", samples.size(), size_t{totals.samples},
                size_t{totals.dummyFrames});
    // The last portion, of 2 ms, is cut by the stop.
    CHECK(samples.size() <= totals.samples && samples.size() + 4000 >= totals.samples);
    const auto full = std::ranges::max(
        samples, {}, [](const Point& point) { return std::max(std::abs(point.i), std::abs(point.q)); });
    CHECK(std::max(std::abs(full.i), std::abs(full.q)) < 1);
    receive::Receiver receiver({2, 0.2, 0});
    std::vector<receive::ReceivedFrame> received;
    receiver.Append(samples, received);
    receiver.Finish(received);
    // The last frame is still in the filter.
    CHECK(received.size() >= 5);
    for (const auto& frame : received) {
        CHECK(frame.bbFrame == std::vector<uint8_t>(frames.begin(), frames.begin() + 384));
    }
}

void CheckFailure(const SoapyOptions& transmitter, const char* text) {
    Changes changes;
    Modulator modulator(Options(SampleFormat::kInteger), MakeSoapySink(transmitter, SampleFormat::kInteger),
                        [&] { changes.Note(); });
    Await(changes, modulator, [](const ModulatorTotals& now) { return now.failure.has_value(); });
    std::fprintf(stderr, "%s\n", modulator.Totals().failure->c_str());
    CHECK(modulator.Totals().failure->find(text) != std::string::npos);
    CHECK(!modulator.Append(0, std::nullopt, std::vector<uint8_t>(384)));
}

}  // namespace

int main() {
    ::setenv("SOAPY_SDR_PLUGIN_PATH", RECORDER_DIRECTORY, 1);
    const auto directory =
        std::filesystem::temp_directory_path() / ("modem-soapy-" + std::to_string(std::random_device{}()));
    std::filesystem::create_directory(directory);
    const std::string path = (directory / "samples").string();
    CheckTransmission(SampleFormat::kInteger, path);
    CheckTransmission(SampleFormat::kFloat, path);
    CheckFailure(Transmitter("record=" + path + ",broken=true"), "writing samples");
    CheckFailure(Transmitter("record=" + path, 1e3), "below the recorder's range");
    CheckFailure(Transmitter("record=/nowhere/at/all"), "opening the device");
    std::filesystem::remove_all(directory);
}
