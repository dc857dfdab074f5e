// The inner code decoded: layered belief propagation over the parity checks of the standard's tables.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "modem/src/tables.hpp"

namespace streamverse::modem::receive {

struct LdpcOutcome {
    bool isWord;          // all checks hold
    unsigned iterations;  // 0: they held at once
};

// One thread.
class LdpcDecoder {
 public:
    explicit LdpcDecoder(const Code& code);

    // `beliefs` are nldpc log-likelihoods, positive for a zero; they become those after decoding.
    LdpcOutcome Decode(std::span<float> beliefs, unsigned iterationsMax);

 private:
    std::vector<uint16_t> bits_;  // of each check, one check behind the other
    std::vector<uint32_t> checkEnds_;
    std::vector<float> messages_;
    std::vector<float> without_;  // of one check: each bit's belief without what the check told it
    std::vector<float> before_;

    bool IsWord(std::span<const float> beliefs) const;
    void UpdateCheck(std::span<float> beliefs, uint32_t begin, uint32_t end);
};

}  // namespace streamverse::modem::receive
