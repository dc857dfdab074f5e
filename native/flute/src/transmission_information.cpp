#include "flute/src/transmission_information.hpp"

namespace streamverse::flute {
namespace {

constexpr uint32_t kReedSolomonSymbolsMax = 255;
constexpr uint64_t kNoCodeBlocksMax = uint64_t{1} << 16;
constexpr uint64_t kReedSolomonBlocksMax = uint64_t{1} << 24;

}  // namespace

std::optional<TransmissionInformation> ParseFti(uint8_t encodingId, Bytes body) {
    TransmissionInformation information;
    information.encodingId = encodingId;
    if (encodingId == kFecNoCode && body.size() == 14) {
        information.transferLength = ReadBigEndian(body.first(6));
        information.symbolBytes = static_cast<uint32_t>(ReadBigEndian(body.subspan(8, 2)));
        information.blockSymbolsMax = static_cast<uint32_t>(ReadBigEndian(body.subspan(10, 4)));
        return information;
    }
    if (encodingId == kFecReedSolomon && body.size() == 10) {
        information.transferLength = ReadBigEndian(body.first(6));
        information.symbolBytes = static_cast<uint32_t>(ReadBigEndian(body.subspan(6, 2)));
        information.blockSymbolsMax = body[8];
        return information;
    }
    return std::nullopt;
}

PayloadId ReadPayloadId(uint8_t encodingId, Bytes payload) {
    const auto word = static_cast<uint32_t>(ReadBigEndian(payload.first(kPayloadIdBytes)));
    if (encodingId == kFecReedSolomon) {
        return {word >> 8, word & 0xFF};
    }
    return {word >> 16, word & 0xFFFF};
}

std::optional<Partition> Partition::Of(const TransmissionInformation& information) {
    const uint64_t length = information.transferLength;
    const uint64_t symbolBytes = information.symbolBytes;
    const uint64_t blockMax = information.blockSymbolsMax;
    const bool reedSolomon = information.encodingId == kFecReedSolomon;
    if ((!reedSolomon && information.encodingId != kFecNoCode) || length > kTransferLengthMax ||
        symbolBytes == 0 || symbolBytes > 65535 || blockMax == 0 ||
        (reedSolomon && blockMax > kReedSolomonSymbolsMax)) {
        return std::nullopt;
    }
    Partition partition;
    partition.transferLength_ = length;
    partition.symbolBytes_ = information.symbolBytes;
    if (length == 0) {
        return partition;
    }
    partition.symbols_ = (length + symbolBytes - 1) / symbolBytes;
    partition.blocks_ = (partition.symbols_ + blockMax - 1) / blockMax;
    const uint64_t large = (partition.symbols_ + partition.blocks_ - 1) / partition.blocks_;
    const uint64_t blocksMax = reedSolomon ? kReedSolomonBlocksMax : kNoCodeBlocksMax;
    if (partition.symbols_ > kObjectSymbolsMax || partition.blocks_ > blocksMax || large > 65536) {
        return std::nullopt;
    }
    partition.large_ = static_cast<uint32_t>(large);
    partition.small_ = static_cast<uint32_t>(partition.symbols_ / partition.blocks_);
    partition.largeBlocks_ = partition.symbols_ - partition.small_ * partition.blocks_;
    return partition;
}

uint64_t Partition::FirstSymbol(uint64_t block) const {
    if (block <= largeBlocks_) {
        return block * large_;
    }
    return largeBlocks_ * large_ + (block - largeBlocks_) * small_;
}

uint64_t Partition::BlockOf(uint64_t symbol) const {
    const uint64_t inLarge = largeBlocks_ * large_;
    return symbol < inLarge ? symbol / large_ : largeBlocks_ + (symbol - inLarge) / small_;
}

uint32_t Partition::SymbolLength(uint64_t symbol) const {
    const uint64_t begin = symbol * symbolBytes_;
    const uint64_t left = transferLength_ - begin;
    return left < symbolBytes_ ? static_cast<uint32_t>(left) : symbolBytes_;
}

}  // namespace streamverse::flute
