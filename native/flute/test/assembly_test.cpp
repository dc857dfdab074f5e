#include "flute/src/assembly.hpp"

#include <cstring>

#include "flute/test/core_fixture.hpp"
#include "test/check.hpp"

using namespace streamverse;
using namespace streamverse::flute;
using namespace streamverse::flute::test;

namespace {

// An object of a few blocks in memory, and its repair symbols.
struct Bench {
    Bench(uint8_t encodingId, size_t size, uint32_t symbolBytes, uint32_t blockMax)
        : object(Noise(size, 7)),
          partition(*Partition::Of({encodingId, size, symbolBytes, blockMax})),
          store(size),
          map(partition.symbols()),
          assembly(encodingId, partition, store, map, workshop, 64) {}

    Bytes Symbol(uint64_t index) const {
        return Bytes(object).subspan(index * partition.symbolBytes(), partition.SymbolLength(index));
    }
    Taken Give(uint64_t index) {
        const uint64_t block = partition.BlockOf(index);
        return assembly.OnSymbol(block, static_cast<uint32_t>(index - partition.FirstSymbol(block)),
                                 Symbol(index));
    }
    Octets Repair(uint64_t block, uint32_t symbolId) const {
        const uint32_t k = partition.BlockSymbols(block);
        const size_t symbolBytes = partition.symbolBytes();
        Octets source(k * symbolBytes);
        const size_t begin = partition.FirstSymbol(block) * symbolBytes;
        std::memcpy(source.data(), object.data() + begin, std::min(source.size(), object.size() - begin));
        const fec::ReedSolomon code(k, symbolId + 1);
        std::vector<const uint8_t*> rows;
        for (uint32_t row = 0; row < k; ++row) {
            rows.push_back(source.data() + row * symbolBytes);
        }
        Octets all((symbolId + 1 - k) * symbolBytes);
        std::vector<uint8_t*> repair;
        for (uint32_t row = 0; row < symbolId + 1 - k; ++row) {
            repair.push_back(all.data() + row * symbolBytes);
        }
        code.Encode(symbolBytes, rows.data(), repair.data());
        return {all.end() - static_cast<std::ptrdiff_t>(symbolBytes), all.end()};
    }
    bool Whole() {
        return assembly.Flush() && assembly.complete() &&
               std::equal(object.begin(), object.end(), store.bytes().begin(), store.bytes().end());
    }

    Octets object;
    Partition partition;
    MemoryStore store;
    SymbolMap map;
    RepairWorkshop workshop{1 << 20};
    Assembly assembly;
};

void PutsSymbolsInAnyOrder() {
    Bench bench(0, 10'050, 100, 7);
    for (uint64_t step = 0; step < bench.partition.symbols(); ++step) {
        const uint64_t index = step * 37 % bench.partition.symbols();
        CHECK(bench.Give(index) == Taken::kNew && bench.Give(index) == Taken::kDuplicate);
    }
    CHECK(bench.Whole());
}

void RefusesWhatDoesNotFit() {
    Bench bench(0, 1050, 100, 4);
    const Octets symbol = Noise(100, 1);
    CHECK(bench.assembly.OnSymbol(3, 0, symbol) == Taken::kMalformed);
    CHECK(bench.assembly.OnSymbol(0, 4, symbol) == Taken::kMalformed);
    CHECK(bench.assembly.OnSymbol(~uint64_t{0}, ~uint32_t{0}, symbol) == Taken::kMalformed);
    CHECK(bench.assembly.OnSymbol(0, 0, Bytes(symbol).first(99)) == Taken::kMalformed);
    CHECK(bench.assembly.OnSymbol(2, 2, Bytes(symbol).first(49)) == Taken::kMalformed);
    CHECK(bench.assembly.OnSymbol(2, 2, symbol) == Taken::kNew);  // padded by the sender
    CHECK(bench.assembly.Flush() && bench.assembly.receivedBytes() == 50);
}

void FillsHolesByReedSolomon() {
    Bench bench(5, 20'050, 100, 20);  // the last symbol is short
    const uint64_t blocks = bench.partition.blocks();
    std::vector<Octets> kept;
    for (uint64_t block = 0; block < blocks; ++block) {
        const uint32_t k = bench.partition.BlockSymbols(block);
        const uint64_t first = bench.partition.FirstSymbol(block);
        // Repair symbols come before, amid and after the source symbols; the block's last two are lost.
        CHECK(bench.assembly.OnSymbol(block, k, kept.emplace_back(bench.Repair(block, k))) == Taken::kRepair);
        CHECK(bench.assembly.OnSymbol(block, k, kept.back()) == Taken::kDuplicate);
        for (uint64_t index = first; index + 2 < first + k; ++index) {
            CHECK(bench.Give(index) == Taken::kNew);
        }
        CHECK(bench.assembly.OnSymbol(block, k + 5, kept.emplace_back(bench.Repair(block, k + 5))) ==
              Taken::kRepair);
    }
    CHECK(bench.Whole() && bench.assembly.fecRecoveredBytes() == blocks * 200 - 50);
    CHECK(bench.workshop.symbolBytes.used() == 0);
}

void MergesRepairedBytesAtAnyAlignment() {
    Bench bench(5, 1950, 100, 20);
    const Octets repair = bench.Repair(0, 20);
    CHECK(bench.Give(3) == Taken::kNew && bench.Give(4) == Taken::kNew);
    CHECK(bench.assembly.OnBytes(0, Bytes(bench.object).first(150)));
    CHECK(bench.map.Test(0) && !bench.map.Test(1));
    CHECK(bench.assembly.OnBytes(150, Bytes(bench.object).subspan(150, 420)));
    CHECK(bench.map.Test(1) && bench.map.Test(2) && !bench.map.Test(5));
    CHECK(bench.assembly.repairedBytes() == 300 && bench.assembly.receivedBytes() == 500);
    CHECK(bench.assembly.OnBytes(575, Bytes(bench.object).subspan(575, 1375)));
    CHECK(bench.assembly.receivedBytes() == 1850 && !bench.assembly.complete());
    CHECK(bench.assembly.OnBytes(570, Bytes(bench.object).subspan(570, 5)));
    CHECK(bench.Whole());
    bench.assembly.Clear();
    CHECK(bench.assembly.receivedBytes() == 0 && bench.map.Count(0, 20) == 0);
    // Repaired bytes that leave one hole make a kept repair symbol useful.
    CHECK(bench.assembly.OnSymbol(0, 20, repair) == Taken::kRepair);
    CHECK(bench.assembly.OnBytes(0, Bytes(bench.object).first(1900)));
    CHECK(bench.Whole());
}

// Zeros are not written to a fresh store, but they are to one that holds something else.
void KeepsHolesOnlyWhereNothingWasWritten() {
    Bench bench(0, 1000, 100, 10);
    bench.object = Octets(1000);
    CHECK(bench.assembly.OnBytes(0, Noise(50, 1)));
    for (uint64_t index = 0; index < 10; ++index) {
        CHECK(bench.Give(index) == Taken::kNew);
    }
    CHECK(bench.Whole());
    Bench sparse(0, 1000, 100, 10);
    sparse.object = Octets(1000);
    sparse.object[999] = 1;
    for (uint64_t index = 0; index < 10; ++index) {
        CHECK(sparse.Give(index) == Taken::kNew && sparse.assembly.Flush());
    }
    CHECK(sparse.Whole());
}

void FindsRuns() {
    SymbolMap map(200);
    map.Set(60, 70);
    map.Set(128, 192);
    CHECK(map.Find(true, 0, 200) == 60 && map.Find(false, 60, 200) == 70 && map.Find(true, 70, 200) == 128);
    CHECK(map.Find(false, 128, 200) == 192 && map.Find(true, 192, 200) == 200 && map.Find(true, 0, 60) == 60);
    CHECK(map.Count(0, 200) == 74 && map.Count(65, 130) == 7);
    ByteRanges ranges(2);
    ranges.Add(0, 10);
    ranges.Add(20, 30);
    ranges.Add(40, 50);  // one too many
    CHECK(ranges.Covers(0, 10) && ranges.Covers(25, 30) && !ranges.Covers(40, 50) && !ranges.Covers(5, 25));
    ranges.Add(10, 20);
    CHECK(ranges.Covers(0, 30));
}

}  // namespace

int main() {
    PutsSymbolsInAnyOrder();
    RefusesWhatDoesNotFit();
    FillsHolesByReedSolomon();
    MergesRepairedBytesAtAnyAlignment();
    KeepsHolesOnlyWhereNothingWasWritten();
    FindsRuns();
}
