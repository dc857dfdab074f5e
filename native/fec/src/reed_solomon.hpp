// Systematic Reed-Solomon over GF(2^8), FEC Encoding ID 5, with the generator matrix of RFC 5510 section 8.2:
// GM = inverse(V(k,k)) * V(k,n), V(i,j) = alpha^(i*j). Symbols 0..k-1 are the source, k..n-1 repair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace streamverse::fec {

inline constexpr unsigned kSymbolsMax = 255;  // n; RFC 5510: 2^8 - 1

struct RepairSymbol {
    unsigned esi;          // k..n-1
    const uint8_t* bytes;  // symbolBytes of them
};

// Memory that Recover needs; kept by the caller so that a decode in steady state allocates nothing. Any code,
// one thread.
struct Workspace {
    std::vector<uint8_t> coefficients;
    std::vector<uint8_t> tables;
    std::vector<unsigned> missing;
    std::vector<uint8_t*> inputs;
};

// One code (k, n). Immutable after construction: may be shared by threads.
class ReedSolomon {
 public:
    // Throws std::invalid_argument unless 1 <= k <= n <= 255.
    ReedSolomon(unsigned sourceCount, unsigned symbolCount);

    unsigned sourceCount() const { return sourceCount_; }
    unsigned symbolCount() const { return symbolCount_; }

    // The k coefficients of repair symbol `esi` (k <= esi < n).
    std::span<const uint8_t> Row(unsigned esi) const;

    // source: k pointers, repair: n-k pointers, all to symbolBytes bytes (a short last symbol is padded with
    // zeros by the caller: RFC 5510 section 6.1 codes whole symbols only).
    void Encode(size_t symbolBytes, const uint8_t* const* source, uint8_t* const* repair) const;

    // source: k pointers, null where the symbol is missing. recovered: one buffer per missing symbol, in
    // ascending order of ESI. Takes the first usable repair symbols (wrong or repeated ESIs are skipped);
    // answers false, having written nothing, when they are fewer than the missing ones.
    bool Recover(size_t symbolBytes, const uint8_t* const* source, std::span<const RepairSymbol> repair,
                 uint8_t* const* recovered, Workspace& workspace) const;

 private:
    void Solve(std::span<const RepairSymbol> repair, Workspace& workspace) const;

    unsigned sourceCount_;
    unsigned symbolCount_;
    std::vector<uint8_t> matrix_;  // (n-k) rows of k
    // For each symbol, the logarithm of the product of its distances from all source symbols but itself.
    std::vector<unsigned> productLog_;
    mutable std::once_flag encodeTablesOnce_;
    mutable std::vector<uint8_t> encodeTables_;  // made at the first Encode: a receiver needs none
};

// The codes in use, bounded: the sizes of blocks come from packets, so a hostile sender must not grow this.
// One thread, like its owner.
class ReedSolomonCache {
 public:
    explicit ReedSolomonCache(size_t codesMax = 32) : codesMax_(codesMax == 0 ? 1 : codesMax) {}

    // Throws as ReedSolomon does.
    std::shared_ptr<const ReedSolomon> Get(unsigned sourceCount, unsigned symbolCount);

 private:
    size_t codesMax_;
    std::list<std::shared_ptr<const ReedSolomon>> codes_;  // most recently used first
};

}  // namespace streamverse::fec
