// The outer code (EN 302 307-1, 5.3.1): the remainder of the message by the generator, eight bytes at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "modem/src/tables.hpp"

namespace streamverse::modem {

// Immutable after construction: may be shared by threads.
class BchEncoder {
 public:
    explicit BchEncoder(const Code& code);

    // Behind the kbch bits at `bytes` writes the parity, up to nbch bits. Reads and writes up to kSlackBytes
    // more.
    void Encode(uint8_t* bytes) const;

 private:
    // A remainder, left-aligned; the fourth word is there to be loaded with the others.
    struct alignas(32) Remainder {
        uint64_t words[4];
    };

    uint32_t kbch_;
    uint16_t degree_;
    // Of each value of each byte of a word: what it leaves, the first byte's table first.
    std::unique_ptr<std::array<std::array<Remainder, 256>, 8>> tables_;

    Remainder Divide(const uint8_t* bytes) const;
};

}  // namespace streamverse::modem
