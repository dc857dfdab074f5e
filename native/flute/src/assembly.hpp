// Puts the encoding symbols of one object in place: runs of neighbours in one write, holes by Reed-Solomon.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "fec/src/reed_solomon.hpp"
#include "flute/src/budget.hpp"
#include "flute/src/byte_ranges.hpp"
#include "flute/src/symbol_map.hpp"
#include "flute/src/symbol_store.hpp"
#include "flute/src/transmission_information.hpp"

namespace streamverse::flute {

// What the assemblies of one thread share for decoding.
struct RepairWorkshop {
    explicit RepairWorkshop(uint64_t symbolBytesMax) : symbolBytes(symbolBytesMax) {}
    Budget symbolBytes;
    fec::ReedSolomonCache codes;
    fec::Workspace workspace;
    std::vector<uint8_t> block;
};

enum class Taken { kNew, kDuplicate, kRepair, kMalformed, kFailed };

class Assembly {
 public:
    // Store, map and workshop outlive the assembly; the store reads as zeros.
    Assembly(uint8_t encodingId, const Partition& partition, SymbolStore& store, SymbolMap& map,
             RepairWorkshop& workshop, size_t partialRangesMax);
    ~Assembly();
    Assembly(const Assembly&) = delete;
    Assembly& operator=(const Assembly&) = delete;

    // `symbol` must stay valid until Flush. kFailed: see failure().
    Taken OnSymbol(uint64_t block, uint32_t symbolId, Bytes symbol);
    // Bytes from another way, at any alignment; a symbol counts when all of it has come.
    bool OnBytes(uint64_t offset, Bytes bytes);
    // Writes what is pending and shows it in the map.
    bool Flush();
    // Forgets everything received.
    void Clear();

    [[nodiscard]] bool complete() const { return receivedBytes_ == partition_.transferLength(); }
    [[nodiscard]] uint64_t receivedBytes() const { return receivedBytes_; }
    [[nodiscard]] uint64_t fecRecoveredBytes() const { return fecRecoveredBytes_; }
    [[nodiscard]] uint64_t repairedBytes() const { return repairedBytes_; }
    // How much of the object's start is in place without a hole.
    [[nodiscard]] uint64_t ContiguousBytes();
    [[nodiscard]] int failure() const { return failure_; }

 private:
    struct Repair {
        uint32_t symbolId;
        std::vector<uint8_t> bytes;
    };

    [[nodiscard]] bool Has(uint64_t symbol) const {
        return (symbol >= runBegin_ && symbol < runEnd_) || map_.Test(symbol);
    }
    [[nodiscard]] uint64_t Present(uint64_t block) const;
    [[nodiscard]] uint64_t ByteOf(uint64_t symbol) const;
    Taken OnRepair(uint64_t block, uint32_t symbolId, Bytes symbol);
    bool TryDecode(uint64_t block);
    bool TryDecodeWithin(uint64_t begin, uint64_t end);
    bool Decode(uint64_t block, const std::vector<Repair>& repairs);
    void DropRepairs(uint64_t block);
    void DropAllRepairs();
    void Show(uint64_t begin, uint64_t end);
    void ShowPartial(uint64_t begin, uint64_t end);
    bool Put(uint64_t offset, const uint8_t* bytes, size_t size);

    const uint8_t encodingId_;
    const Partition partition_;
    SymbolStore& store_;
    SymbolMap& map_;
    RepairWorkshop& workshop_;
    ByteRanges partial_;
    std::vector<iovec> run_;
    uint64_t runBegin_ = 0;
    uint64_t runEnd_ = 0;
    uint64_t prefix_ = 0;
    uint64_t receivedBytes_ = 0;
    uint64_t fecRecoveredBytes_ = 0;
    uint64_t repairedBytes_ = 0;
    int failure_ = 0;
    bool fresh_ = true;  // nothing but symbols was ever written
    std::unordered_map<uint64_t, std::vector<Repair>> repairs_;
};

}  // namespace streamverse::flute
