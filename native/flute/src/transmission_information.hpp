// FEC object transmission information (EXT_FTI, FDT attributes) and what follows from it: the partition of
// RFC 5052 section 9.1. Every number may be hostile; nothing here overflows.
#pragma once

#include <cstdint>
#include <optional>

#include "flute/src/big_endian.hpp"

namespace streamverse::flute {

constexpr uint8_t kFecNoCode = 0;
constexpr uint8_t kFecReedSolomon = 5;
constexpr uint64_t kTransferLengthMax = (uint64_t{1} << 48) - 1;
// A bit per symbol is held in memory: 8 MiB of map for the largest object.
constexpr uint64_t kObjectSymbolsMax = uint64_t{1} << 26;

struct TransmissionInformation {
    uint8_t encodingId = kFecNoCode;
    uint64_t transferLength = 0;
    uint32_t symbolBytes = 0;
    uint32_t blockSymbolsMax = 0;
    bool operator==(const TransmissionInformation&) const = default;
};

// EXT_FTI's body after HET and HEL; `encodingId` is the packet's codepoint (RFC 3926 section 5.1).
[[nodiscard]] std::optional<TransmissionInformation> ParseFti(uint8_t encodingId, Bytes body);

struct PayloadId {
    uint32_t block = 0;
    uint32_t symbol = 0;
};

constexpr size_t kPayloadIdBytes = 4;
[[nodiscard]] PayloadId ReadPayloadId(uint8_t encodingId, Bytes payload);

// Symbols are numbered through the whole object: symbol i covers bytes [i * symbolBytes, …).
class Partition {
 public:
    [[nodiscard]] static std::optional<Partition> Of(const TransmissionInformation& information);

    [[nodiscard]] uint64_t symbols() const { return symbols_; }
    [[nodiscard]] uint64_t blocks() const { return blocks_; }
    [[nodiscard]] uint32_t symbolBytes() const { return symbolBytes_; }
    [[nodiscard]] uint64_t transferLength() const { return transferLength_; }
    [[nodiscard]] uint32_t BlockSymbols(uint64_t block) const {
        return block < largeBlocks_ ? large_ : small_;
    }
    [[nodiscard]] uint64_t FirstSymbol(uint64_t block) const;
    [[nodiscard]] uint64_t BlockOf(uint64_t symbol) const;
    // Shorter than symbolBytes only for the object's last symbol.
    [[nodiscard]] uint32_t SymbolLength(uint64_t symbol) const;

 private:
    uint64_t transferLength_ = 0;
    uint64_t symbols_ = 0;
    uint64_t blocks_ = 0;
    uint64_t largeBlocks_ = 0;
    uint32_t symbolBytes_ = 0;
    uint32_t large_ = 0;
    uint32_t small_ = 0;
};

}  // namespace streamverse::flute
