// Each stage of one frame of every MODCOD against stage_hashes.txt, which an independent model of the
// standard's tables made (it agrees bit by bit with GNU Radio's gr-dtv): PLS or 256 and VL-SNR's index, Gold
// index, and of each stage the first half of its SHA-256.
#include <openssl/evp.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "modem/src/frame_modulator.hpp"
#include "modem/src/pl_header.hpp"
#include "modem/src/symbol_mapper.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::modem;

constexpr float kSteps = 3333;  // of a unit amplitude, in the hashes of symbols
constexpr size_t kHashBytes = 16;

// What the model was fed with.
std::vector<uint8_t> MakeBbFrame(uint32_t bits, uint32_t state) {
    std::vector<uint8_t> bytes((bits + 7) / 8);
    for (uint8_t& byte : bytes) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        byte = static_cast<uint8_t>(state >> 24);
    }
    return bytes;
}

std::string Hash(const void* bytes, size_t size) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    CHECK(EVP_Digest(bytes, size, digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
    std::string text;
    for (size_t byte = 0; byte < kHashBytes; ++byte) {
        std::array<char, 3> hex{};
        std::snprintf(hex.data(), hex.size(), "%02x", digest[byte]);
        text += hex.data();
    }
    return text;
}

std::string HashSymbols(const std::vector<Point>& symbols) {
    std::vector<int16_t> steps;
    for (const Point& point : symbols) {
        steps.push_back(static_cast<int16_t>(std::lrint(point.i * kSteps)));
        steps.push_back(static_cast<int16_t>(std::lrint(point.q * kSteps)));
    }
    return Hash(steps.data(), steps.size() * sizeof steps[0]);
}

unsigned CheckStages() {
    std::ifstream file(STAGE_HASHES);
    unsigned frames = 0;
    for (std::string line; std::getline(file, line); ++frames) {
        std::istringstream words(line);
        unsigned pls = 0;
        uint32_t gold = 0;
        std::string bch, ldpc, labels, plFrame;
        words >> pls >> gold >> bch >> ldpc >> labels >> plFrame;
        FrameModulator modulator(gold);
        std::vector<Point> symbols;
        Stages stages;
        const Modcod& modcod = ModcodOf(static_cast<uint16_t>(pls));
        modulator.Modulate(static_cast<uint16_t>(pls), MakeBbFrame(modcod.code->kbch, pls + 1), symbols,
                           &stages);
        CHECK(Hash(stages.bch.data(), stages.bch.size()) == bch);
        CHECK(Hash(stages.ldpc.data(), stages.ldpc.size()) == ldpc);
        CHECK(Hash(stages.labels.data(), stages.labels.size()) == labels);
        CHECK(symbols.size() == PlFrameSymbols(modcod));
        CHECK(HashSymbols(symbols) == plFrame);
    }
    return frames;
}

// Frames of several MODCODs by one modulator are what each is alone.
void CheckVariableCoding() {
    FrameModulator one(0);
    std::vector<Point> together;
    std::vector<Point> alone;
    for (const unsigned pls : {57u, 6u, 75u, 57u, 214u}) {
        const auto frame = MakeBbFrame(kModcods[pls].code->kbch, pls);
        one.Modulate(static_cast<uint8_t>(pls), frame, together);
        FrameModulator(0).Modulate(static_cast<uint8_t>(pls), frame, alone);
    }
    CHECK(HashSymbols(together) == HashSymbols(alone));
}

void CheckRefusals() {
    FrameModulator modulator(0);
    std::vector<Point> symbols;
    CHECK_THROWS(FrameModulator(262143), std::invalid_argument);
    CHECK_THROWS(modulator.Modulate(0, std::vector<uint8_t>(8), symbols), std::invalid_argument);
    CHECK_THROWS(modulator.Modulate(57, std::vector<uint8_t>(6050), symbols), std::invalid_argument);
    CHECK(symbols.empty());
}

void CheckDummy() {
    std::vector<Point> symbols;
    FrameModulator(0).ModulateDummy(symbols);
    CHECK(symbols.size() == kDummySymbols);
    CHECK(PlsCode(0) == 0x719d83c953422dfau);
}

}  // namespace

int main() {
    constexpr unsigned kFramesLeast = 100;
    CHECK(CheckStages() >= kFramesLeast);
    CheckVariableCoding();
    CheckRefusals();
    CheckDummy();
}
