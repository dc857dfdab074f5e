// The outer code decoded: syndromes, Berlekamp-Massey, and a search for the locator's roots.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "modem/src/tables.hpp"

namespace streamverse::modem::receive {

// Immutable after construction.
class BchDecoder {
 public:
    explicit BchDecoder(const Code& code);

    // `bits` are nbch bits, one a byte; corrects up to t of them. The number corrected; none when there are
    // more.
    std::optional<unsigned> Correct(std::span<uint8_t> bits) const;

 private:
    unsigned t_;
    uint32_t order_;  // elements of the field but zero
    std::vector<uint16_t> powers_;
    std::vector<uint16_t> logarithms_;

    uint16_t Multiply(uint16_t left, uint16_t right) const;
    uint16_t Divide(uint16_t left, uint16_t right) const;
    std::vector<uint16_t> Syndromes(std::span<const uint8_t> bits) const;
    std::vector<uint16_t> Locator(std::span<const uint16_t> syndromes) const;
};

}  // namespace streamverse::modem::receive
