// What a receiver lets a sender decide: k, n, which symbols are there, their ESIs and their bytes.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "fec/src/reed_solomon.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace streamverse::fec;
    if (size < 4) {
        return 0;
    }
    const unsigned k = data[0];
    const unsigned n = data[1];
    const size_t symbolBytes = data[2];
    data += 3;
    size -= 3;
    if (k < 1 || k > n || n > kSymbolsMax) {
        try {
            const ReedSolomon refused(k, n);
            std::abort();
        } catch (const std::invalid_argument&) {
            return 0;
        }
    }
    static ReedSolomonCache cache(8);
    static Workspace workspace;
    const auto code = cache.Get(k, n);
    // One symbol's bytes serve for all; whether one is there comes from the input's bits, ESIs from its
    // bytes.
    const std::vector<uint8_t> symbol(symbolBytes, data[0]);
    std::vector<const uint8_t*> source(k);
    size_t lost = 0;
    for (unsigned esi = 0; esi < k; ++esi) {
        const bool there = data[(esi / 8) % size] >> (esi % 8) & 1;
        source[esi] = there ? symbol.data() : nullptr;
        lost += there ? 0 : 1;
    }
    std::vector<RepairSymbol> repair;
    for (size_t index = 0; index < size; ++index) {
        repair.push_back({data[index], symbol.data()});
    }
    std::vector<std::vector<uint8_t>> recovered(lost, std::vector<uint8_t>(symbolBytes));
    std::vector<uint8_t*> outputs;
    for (auto& one : recovered) {
        outputs.push_back(one.data());
    }
    code->Recover(symbolBytes, source.data(), repair, outputs.data(), workspace);
    return 0;
}
