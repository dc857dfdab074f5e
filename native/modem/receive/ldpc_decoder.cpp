#include "modem/receive/ldpc_decoder.hpp"

#include <algorithm>
#include <cmath>

namespace streamverse::modem::receive {

namespace {

constexpr float kMost = 1e6f;

// About ln(1 + e^-x), by a line.
float Correction(float x) {
    return std::max(0.0f, 0.6f - 0.24f * x);
}

// What two bits' beliefs say of their sum.
float Combine(float left, float right) {
    const float least = std::min(std::abs(left), std::abs(right));
    const float size = (left < 0) != (right < 0) ? -least : least;
    return size + Correction(std::abs(left + right)) - Correction(std::abs(left - right));
}

}  // namespace

LdpcDecoder::LdpcDecoder(const Code& code) {
    const unsigned checks = code.nldpc - code.nbch;
    std::vector<std::vector<uint16_t>> rows(checks);
    unsigned address = 0;
    for (unsigned group = 0; group < code.nbch / kGroupBits; ++group) {
        for (; address < code.rowEnds[group]; ++address) {
            for (unsigned bit = 0; bit < kGroupBits; ++bit) {
                const unsigned check = (code.addresses[address] + bit * code.q) % checks;
                rows[check].push_back(static_cast<uint16_t>(group * kGroupBits + bit));
            }
        }
    }
    for (unsigned check = 0; check < checks; ++check) {
        bits_.insert(bits_.end(), rows[check].begin(), rows[check].end());
        // Each parity bit is the sum of its check's bits and of the parity bit before it.
        if (check > 0) {
            bits_.push_back(static_cast<uint16_t>(code.nbch + check - 1));
        }
        bits_.push_back(static_cast<uint16_t>(code.nbch + check));
        checkEnds_.push_back(static_cast<uint32_t>(bits_.size()));
    }
    messages_.resize(bits_.size());
    size_t degree = 0;
    for (const auto& row : rows) {
        degree = std::max(degree, row.size() + 2);
    }
    without_.resize(degree);
    before_.resize(degree);
}

bool LdpcDecoder::IsWord(std::span<const float> beliefs) const {
    uint32_t edge = 0;
    for (const uint32_t end : checkEnds_) {
        bool odd = false;
        for (; edge < end; ++edge) {
            odd ^= beliefs[bits_[edge]] < 0;
        }
        if (odd) {
            return false;
        }
    }
    return true;
}

// Each bit hears what all others of its check say together: those before it and those behind.
void LdpcDecoder::UpdateCheck(std::span<float> beliefs, uint32_t begin, uint32_t end) {
    const uint32_t count = end - begin;
    for (uint32_t edge = 0; edge < count; ++edge) {
        const float without =
            std::clamp(beliefs[bits_[begin + edge]] - messages_[begin + edge], -kMost, kMost);
        without_[edge] = without;
        before_[edge] = edge == 0 ? kMost : Combine(before_[edge - 1], without_[edge - 1]);
    }
    float behind = kMost;
    for (uint32_t edge = count; edge-- > 0;) {
        const float message = Combine(before_[edge], behind);
        behind = Combine(behind, without_[edge]);
        messages_[begin + edge] = message;
        beliefs[bits_[begin + edge]] = without_[edge] + message;
    }
}

LdpcOutcome LdpcDecoder::Decode(std::span<float> beliefs, unsigned iterationsMax) {
    std::ranges::fill(messages_, 0.0f);
    for (unsigned iteration = 0; iteration < iterationsMax; ++iteration) {
        if (IsWord(beliefs)) {
            return {true, iteration};
        }
        uint32_t begin = 0;
        for (const uint32_t end : checkEnds_) {
            UpdateCheck(beliefs, begin, end);
            begin = end;
        }
    }
    return {IsWord(beliefs), iterationsMax};
}

}  // namespace streamverse::modem::receive
