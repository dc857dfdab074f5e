// A Transport Object Identifier of up to 112 bits (RFC 5651 section 5.1: 32*O + 16*H bits).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace streamverse::flute {

struct Toi {
    uint64_t high = 0;
    uint64_t low = 0;
    auto operator<=>(const Toi&) const = default;
    [[nodiscard]] bool IsZero() const { return high == 0 && low == 0; }
};

// Random for each process, so that nobody on the air can choose TOIs that all fall into one bucket.
[[nodiscard]] uint64_t HashSeed() noexcept;

struct ToiHash {
    size_t operator()(const Toi& toi) const noexcept {
        const auto mix = [](uint64_t value) {
            value = (value ^ value >> 32) * 0x9E3779B97F4A7C15ULL;
            return value ^ value >> 29;
        };
        return mix(mix(toi.low ^ HashSeed()) ^ toi.high);
    }
};

[[nodiscard]] std::string ToDecimal(Toi toi);

// Decimal text, as the FDT's TOI attribute writes it; nothing for other text or more than 112 bits.
[[nodiscard]] std::optional<Toi> ParseToi(std::string_view text);

}  // namespace streamverse::flute
