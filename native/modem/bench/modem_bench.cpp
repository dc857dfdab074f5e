// One line of JSON: Msym/s of one core for whole PLFRAMEs and for shaped samples, and ns per symbol of each
// stage. By the thread's own processor time, so that a neighbour's load is not counted. `modem_bench PLS
// SECONDS`.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <stdexcept>

#include "bit/bits.hpp"
#include "modem/src/bb_scrambler.hpp"
#include "modem/src/frame_modulator.hpp"
#include "modem/src/kernels.hpp"
#include "modem/src/pulse_shaper.hpp"
#include "modem/src/sample_format.hpp"
#include "modem/src/symbol_mapper.hpp"

namespace {

using namespace streamverse;
using namespace streamverse::modem;

constexpr double kRollOff = 0.20;
constexpr unsigned kSamplesPerSymbol = 2;

double ProcessorSeconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// ns per symbol.
double Measure(double seconds, size_t symbolsEach, const std::function<void()>& work) {
    work();
    const double begin = ProcessorSeconds();
    size_t rounds = 0;
    double elapsed = 0;
    do {
        work();
        ++rounds;
        elapsed = ProcessorSeconds() - begin;
    } while (elapsed < seconds);
    return elapsed * 1e9 / static_cast<double>(rounds * symbolsEach);
}

std::vector<uint8_t> RandomFrame(const Code& code) {
    std::mt19937 random(code.kbch);
    std::vector<uint8_t> frame((code.kbch + 7) / 8);
    for (uint8_t& byte : frame) {
        byte = static_cast<uint8_t>(random());
    }
    return frame;
}

void Run(uint8_t pls, double seconds) {
    const Modcod& modcod = kModcods[pls];
    if (modcod.code == nullptr) {
        throw std::invalid_argument("this PLS value has no FECFRAME");
    }
    const Code& code = *modcod.code;
    const auto frame = RandomFrame(code);
    FrameModulator modulator(0);
    std::vector<Point> symbols;
    const size_t count = PlFrameSymbols(modcod);
    const double whole = Measure(seconds, count, [&] {
        symbols.clear();
        modulator.Modulate(pls, frame, symbols);
    });
    PulseShaper shaper({kRollOff, kSamplesPerSymbol});
    std::vector<Point> samples;
    const double shape = Measure(seconds, count, [&] {
        samples.clear();
        shaper.Append(symbols, samples);
    });
    std::vector<uint8_t> integers;
    const double format = Measure(seconds / 4, count, [&] {
        integers.clear();
        FormatSamples(samples, SampleFormat::kInteger, integers);
    });
    bit::BitBuffer bits(kFecBitsMax);
    std::ranges::copy(frame, bits.data());
    const double scramble = Measure(seconds / 4, count, [&] { ScrambleBbFrame(bits.data(), code.kbch); });
    const BchEncoder outer(code);
    const double bch = Measure(seconds / 4, count, [&] { outer.Encode(bits.data()); });
    LdpcEncoder inner(code);
    const double ldpc = Measure(seconds / 4, count, [&] { inner.Encode(bits.data()); });
    std::vector<uint8_t> labels(kFecBitsMax);
    const double map = Measure(seconds / 4, count, [&] { MapToLabels(modcod, bits.data(), labels.data()); });
    std::vector<Point> copied(samples.size());
    const double copy = Measure(seconds / 4, count, [&] {
        std::copy(samples.begin(), samples.end(), copied.begin());
        asm volatile("" : : "r"(copied.data()) : "memory");
    });
    const auto perSymbol = [count](double bytes) { return bytes / static_cast<double>(count); };
    const double point = sizeof(Point);
    std::printf(
        "{\"modcod\": \"%s\", \"kernels\": \"%s\", \"frameMsymPerSecond\": %.1f, \"shapedMsymPerSecond\": "
        "%.1f, \"integersMsymPerSecond\": %.1f, \"nsPerSymbol\": "
        "{\"scramble\": %.3f, \"bch\": %.3f, \"ldpc\": %.3f, \"labels\": %.3f, \"points and framing\": %.3f, "
        "\"shaping\": %.3f, \"to integers\": %.3f}, ",
        modcod.name, ActiveKernels().name, 1e3 / whole, 1e3 / (whole + shape), 1e3 / (whole + shape + format),
        scramble, bch, ldpc, map, whole - scramble - bch - ldpc - map, shape, format);
    // What a stage reads and writes, and what copying costs, counted the same way.
    std::printf(
        "\"bytesPerSymbol\": {\"scramble\": %.3f, \"bch\": %.3f, \"ldpc\": %.3f, \"labels\": %.3f, "
        "\"points and framing\": %.3f, \"shaping\": %.3f, \"to integers\": %.3f}, \"memoryNsPerByte\": "
        "%.5f}\n",
        perSymbol(2 * code.kbch / 8.0), perSymbol((code.kbch + code.nbch) / 8.0),
        perSymbol((code.nbch + code.nldpc) / 8.0), perSymbol(code.nldpc / 8.0 + SymbolCount(modcod)),
        1 + point, point * (1 + kSamplesPerSymbol), kSamplesPerSymbol * (point + 4),
        copy / (2 * kSamplesPerSymbol * point));
}

}  // namespace

int main(int count, char** words) {
    if (count != 3) {
        std::fprintf(stderr, "usage: modem_bench PLS SECONDS\n");
        return 1;
    }
    Run(static_cast<uint8_t>(std::atoi(words[1])), std::atof(words[2]));
}
