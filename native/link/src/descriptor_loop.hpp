// Descriptors one behind the other (ISO/IEC 13818-1, 2.6), and the texts in them (EN 300 468, annex A).
#pragma once

#include <string>

#include "link/src/byte_order.hpp"

namespace streamverse::link {

// Calls `use(tag, body)` for each; false when one is longer than what is left.
template <typename Use>
bool ForEachDescriptor(Bytes loop, Use&& use) {
    while (loop.size() >= 2) {
        const size_t bytes = loop[1];
        if (2 + bytes > loop.size()) {
            return false;
        }
        use(loop[0], loop.subspan(2, bytes));
        loop = loop.subspan(2 + bytes);
    }
    return loop.empty();
}

// As UTF-8. Of the character tables only UTF-8 and Latin-1 are told apart; others' letters beyond ASCII come
// out wrong.
inline std::string ReadText(Bytes text) {
    constexpr uint8_t kUtf8 = 0x15;
    constexpr uint8_t kTwoMore = 0x10;
    constexpr uint8_t kPrintable = 0x20;
    if (!text.empty() && text[0] == kUtf8) {
        return std::string(text.begin() + 1, text.end());
    }
    if (!text.empty() && text[0] < kPrintable) {
        text = text.subspan(std::min<size_t>(text.size(), text[0] == kTwoMore ? 3 : 1));
    }
    std::string read;
    for (const uint8_t letter : text) {
        if (letter < 0x80) {
            read.push_back(static_cast<char>(letter));
        } else {
            read.push_back(static_cast<char>(0xC0 | letter >> 6));
            read.push_back(static_cast<char>(0x80 | (letter & 0x3F)));
        }
    }
    return read;
}

}  // namespace streamverse::link
