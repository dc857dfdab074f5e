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

struct ToiHash {
    size_t operator()(const Toi& toi) const noexcept {
        return std::hash<uint64_t>{}(toi.low * 0x9E3779B97F4A7C15ULL ^ toi.high);
    }
};

[[nodiscard]] std::string ToDecimal(Toi toi);

// Decimal text, as the FDT's TOI attribute writes it; nothing for other text or more than 112 bits.
[[nodiscard]] std::optional<Toi> ParseToi(std::string_view text);

}  // namespace streamverse::flute
