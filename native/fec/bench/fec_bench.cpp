// One line of JSON per geometry: Gbit/s of source data, coded and recovered by us, and by bare ec_encode_data
// with the tables ready. The three are measured in short turns one behind the other, and a ratio is the
// median of the turns' own ratios: what a busy neighbour takes, it takes from all three.
#include <isa-l/erasure_code.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <random>
#include <vector>

#include "fec/src/reed_solomon.hpp"

namespace {

using namespace streamverse::fec;
using Clock = std::chrono::steady_clock;

constexpr size_t kSymbolBytes = 1400;
constexpr size_t kBlocks = 16;  // beyond the second-level cache, as a stream is
constexpr size_t kTurns = 61;
constexpr auto kTurn = std::chrono::milliseconds(8);

struct Block {
    std::vector<std::vector<uint8_t>> symbols;
    std::vector<uint8_t*> all;
};

double GigabitsPerSecond(size_t bitsPerBlock, const std::function<void(size_t)>& work) {
    const auto begin = Clock::now();
    size_t rounds = 0;
    std::chrono::duration<double> elapsed{};
    do {
        for (size_t block = 0; block < kBlocks; ++block) {
            work(block);
        }
        ++rounds;
        elapsed = Clock::now() - begin;
    } while (elapsed < kTurn);
    return static_cast<double>(rounds * kBlocks * bitsPerBlock) / elapsed.count() / 1e9;
}

double Median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

std::vector<double> Ratios(const std::vector<double>& ours, const std::vector<double>& reference) {
    std::vector<double> ratios;
    for (size_t turn = 0; turn < ours.size(); ++turn) {
        ratios.push_back(ours[turn] / reference[turn]);
    }
    return ratios;
}

void Measure(unsigned k, unsigned n) {
    std::mt19937 random(k * 256 + n);
    const unsigned repairs = n - k;
    const ReedSolomon code(k, n);
    std::vector<Block> blocks(kBlocks);
    for (Block& block : blocks) {
        block.symbols.assign(n, std::vector<uint8_t>(kSymbolBytes));
        for (auto& symbol : block.symbols) {
            std::ranges::generate(symbol, [&] { return static_cast<uint8_t>(random()); });
            block.all.push_back(symbol.data());
        }
        code.Encode(kSymbolBytes, block.all.data(), block.all.data() + k);
    }
    std::vector<uint8_t> matrix;
    for (unsigned esi = k; esi < n; ++esi) {
        matrix.insert(matrix.end(), code.Row(esi).begin(), code.Row(esi).end());
    }
    std::vector<uint8_t> tables(matrix.size() * 32);
    ec_init_tables(static_cast<int>(k), static_cast<int>(repairs), matrix.data(), tables.data());
    std::vector<std::vector<uint8_t>> space(repairs, std::vector<uint8_t>(kSymbolBytes));
    std::vector<uint8_t*> outputs;
    for (auto& symbol : space) {
        outputs.push_back(symbol.data());
    }
    // As many lost as can be repaired, others in every block and in every call, so that nothing can be
    // remembered.
    std::vector<std::vector<const uint8_t*>> sources;
    std::vector<std::vector<RepairSymbol>> repair(kBlocks);
    for (size_t index = 0; index < kBlocks; ++index) {
        std::vector<const uint8_t*> source(blocks[index].all.begin(), blocks[index].all.begin() + k);
        for (unsigned lost = 0; lost < std::min(repairs, k);) {
            auto& symbol = source[random() % k];
            lost += symbol != nullptr;
            symbol = nullptr;
        }
        sources.push_back(std::move(source));
        for (unsigned esi = k; esi < n; ++esi) {
            repair[index].push_back({esi, blocks[index].all[esi]});
        }
    }
    Workspace workspace;
    const size_t bits = k * kSymbolBytes * 8;
    std::vector<double> bare;
    std::vector<double> encode;
    std::vector<double> decode;
    for (size_t turn = 0; turn < kTurns; ++turn) {
        bare.push_back(GigabitsPerSecond(bits, [&](size_t index) {
            ec_encode_data(kSymbolBytes, static_cast<int>(k), static_cast<int>(repairs), tables.data(),
                           blocks[index].all.data(), outputs.data());
        }));
        encode.push_back(GigabitsPerSecond(bits, [&](size_t index) {
            code.Encode(kSymbolBytes, blocks[index].all.data(), outputs.data());
        }));
        decode.push_back(GigabitsPerSecond(bits, [&](size_t index) {
            code.Recover(kSymbolBytes, sources[index].data(), repair[index], outputs.data(), workspace);
        }));
    }
    std::printf(
        "{\"k\":%u,\"n\":%u,\"symbolBytes\":%zu,\"bareGbps\":%.3f,\"encodeGbps\":%.3f,\"encodeRatio\":%.4f,"
        "\"decodeGbps\":%.3f,\"decodeRatio\":%.4f}\n",
        k, n, kSymbolBytes, Median(bare), Median(encode), Median(Ratios(encode, bare)), Median(decode),
        Median(Ratios(decode, bare)));
}

}  // namespace

int main() {
    Measure(32, 40);
    Measure(64, 80);
    Measure(128, 144);
    Measure(200, 210);
    Measure(200, 240);
    return 0;
}
