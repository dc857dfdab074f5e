// Frames through modulator, channel and receiver come back byte by byte: of every constellation and frame
// size without noise, and of some MODCODs 1 dB above the noise that the standard says they stand.
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <numbers>
#include <random>

#include "modem/receive/receiver.hpp"
#include "modem/src/frame_modulator.hpp"
#include "modem/src/pulse_shaper.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::modem;
using Frames = std::vector<std::vector<uint8_t>>;

struct Channel {
    Shape shape{0.2, 2};
    double noise = 0;      // energy per symbol, of symbols of unit energy
    double frequency = 0;  // cycles per symbol
    uint32_t goldIndex = 0;
};

struct Sent {
    std::vector<Point> samples;
    Frames frames;
};

std::vector<uint8_t> RandomFrame(const Code& code, std::mt19937& random) {
    std::vector<uint8_t> frame((code.kbch + 7) / 8);
    for (uint8_t& byte : frame) {
        byte = static_cast<uint8_t>(random());
    }
    return frame;
}

Sent Send(const std::vector<unsigned>& values, const Channel& channel) {
    std::mt19937 random(values.front() + 1);
    FrameModulator modulator(channel.goldIndex);
    PulseShaper shaper(channel.shape);
    Sent sent;
    std::vector<Point> symbols;
    for (const unsigned pls : values) {
        if (pls == 0) {
            modulator.ModulateDummy(symbols);
            continue;
        }
        sent.frames.push_back(RandomFrame(*kModcods[pls].code, random));
        modulator.Modulate(static_cast<uint16_t>(pls), sent.frames.back(), symbols);
    }
    symbols.resize(symbols.size() + shaper.spanSymbols(), Point{0, 0});
    shaper.Append(symbols, sent.samples);
    const double perSymbol = static_cast<double>(channel.shape.interpolate) / channel.shape.decimate;
    std::normal_distribution<double> noise(0, std::sqrt(channel.noise * perSymbol / 2));
    for (size_t sample = 0; sample < sent.samples.size(); ++sample) {
        const double phase =
            1 + 2 * std::numbers::pi * channel.frequency * static_cast<double>(sample) / perSymbol;
        Point& point = sent.samples[sample];
        const std::complex<double> turned =
            std::complex<double>(point.i, point.q) * std::polar(0.37, phase) +
            (channel.noise > 0 ? 0.37 * std::complex<double>(noise(random), noise(random)) : 0.0);
        point = {static_cast<float>(turned.real()), static_cast<float>(turned.imag())};
    }
    return sent;
}

struct Outcome {
    receive::ReceiverTotals totals;
    Frames frames;
    unsigned iterations = 0;
};

Outcome Receive(const Sent& sent, const Channel& channel, size_t portion = 50'000) {
    const double perSymbol = static_cast<double>(channel.shape.interpolate) / channel.shape.decimate;
    receive::Receiver receiver({perSymbol, channel.shape.rollOff, channel.goldIndex});
    std::vector<receive::ReceivedFrame> received;
    const std::span<const Point> samples(sent.samples);
    for (size_t at = 0; at < samples.size(); at += portion) {
        receiver.Append(samples.subspan(at, std::min(portion, samples.size() - at)), received);
    }
    receiver.Finish(received);
    Outcome outcome;
    outcome.totals = receiver.totals();
    for (auto& frame : received) {
        outcome.iterations = std::max(outcome.iterations, frame.ldpcIterations);
        outcome.frames.push_back(std::move(frame.bbFrame));
    }
    return outcome;
}

double Seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void CheckLoop(const char* name, const std::vector<unsigned>& values, const Channel& channel,
               double ratioLeast) {
    const Sent sent = Send(values, channel);
    const double begin = Seconds();
    const Outcome outcome = Receive(sent, channel);
    std::printf("%-26s %zu of %zu frames, MER %.1f dB, offset %.5f, %u iterations, %.2f s\n", name,
                outcome.frames.size(), sent.frames.size(), outcome.totals.modulationErrorDb,
                outcome.totals.frequencyOffset, outcome.iterations, Seconds() - begin);
    std::fflush(stdout);
    CHECK(outcome.frames == sent.frames);
    CHECK(outcome.totals.frames == sent.frames.size());
    CHECK(outcome.totals.failedFrames == 0 && outcome.totals.syncLosses == 0);
    CHECK(outcome.totals.modulationErrorDb > ratioLeast);
    CHECK(std::abs(outcome.totals.frequencyOffset - channel.frequency) < 2e-5);
}

// The first MODCOD of each modulation and size of frame, with pilots and without.
void CheckConstellations() {
    constexpr double kRatioLeast = 33;
    std::vector<std::string> seen;
    for (unsigned pls = 1; pls < 256; ++pls) {
        const Modcod& modcod = kModcods[pls];
        if (modcod.code == nullptr) {
            continue;
        }
        const std::string kind =
            std::string(modcod.modulation) + (modcod.code->size == FrameSize::kShort ? " short" : " normal");
        if (std::ranges::find(seen, kind) != seen.end()) {
            continue;
        }
        seen.push_back(kind);
        CheckLoop((kind + " " + modcod.name).c_str(), {pls, pls | 1},
                  {.frequency = 1e-4 * pls, .goldIndex = pls}, kRatioLeast);
    }
    CHECK(seen.size() >= 18);
}

void CheckNoise() {
    unsigned checked = 0;
    for (const unsigned pls : {4u, 17u, 45u, 56u, 57u, 77u, 97u, 113u, 139u, 149u, 169u, 187u, 201u, 207u}) {
        const Modcod& modcod = kModcods[pls];
        if (modcod.code == nullptr || std::isnan(modcod.thresholdDb)) {
            continue;
        }
        ++checked;
        const double ratioDb = static_cast<double>(modcod.thresholdDb) + 1;
        CheckLoop(modcod.name, {pls, pls, pls}, {.noise = std::pow(10, -ratioDb / 10), .frequency = 0.003},
                  ratioDb - 0.7);
    }
    CHECK(checked >= 10);
}

void CheckMixture() {
    constexpr double kRatioLeast = 33;
    CheckLoop("VCM with dummy frames", {57, 0, 6, 0, 0, 75, 214, 57}, {.frequency = -0.02}, kRatioLeast);
    CheckLoop("5/2 samples, 0.35", {57, 57}, {.shape = {0.35, 5, 2}, .goldIndex = 1234}, kRatioLeast);
    CheckLoop("3 samples, 0.05", {57, 57}, {.shape = {0.05, 3}, .frequency = 0.05}, kRatioLeast);
    CheckLoop("one frame alone", {56}, {}, kRatioLeast);
}

// Samples lost in between, what is no signal, and what ends within a frame.
void CheckDamage() {
    const Channel channel;
    Sent sent = Send({57, 57, 57, 57, 57}, channel);
    const auto begin = sent.samples.begin();
    sent.samples.erase(begin + 100'000, begin + 100'777);
    const Outcome outcome = Receive(sent, channel, 4001);
    CHECK(outcome.totals.syncLosses >= 1);
    const auto held = std::ranges::count_if(sent.frames, [&](const auto& frame) {
        return std::ranges::find(outcome.frames, frame) != outcome.frames.end();
    });
    std::printf("with samples lost: %td of 5 frames\n", held);
    CHECK(held == 4);

    Sent silence;
    silence.samples.resize(100'000, Point{0, 0});
    std::mt19937 random(1);
    for (size_t sample = 50'000; sample < silence.samples.size(); ++sample) {
        silence.samples[sample] = {static_cast<float>(random()) * 1e30f, std::nanf("")};
    }
    CHECK(Receive(silence, channel).frames.empty());
    sent.samples.resize(50'000);
    CHECK(Receive(sent, channel).frames.size() == 1);
}

}  // namespace

int main() {
    CheckMixture();
    CheckConstellations();
    CheckNoise();
    CheckDamage();
}
