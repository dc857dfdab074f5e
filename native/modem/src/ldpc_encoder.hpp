// The inner code (EN 302 307-1, 5.3.2; EN 302 307-2, 5.3.2).
#pragma once

#include <cstdint>
#include <vector>

#include "modem/src/kernels.hpp"
#include "modem/src/tables.hpp"

namespace streamverse::modem {

// The parity accumulators are kept as q columns of 360 bits, p[r + q c] at bit c of column r: the 360 bits of
// a group then go into one column, rotated. Immutable after construction but for its own memory: one thread.
class LdpcEncoder {
 public:
    explicit LdpcEncoder(const Code& code);

    // Behind the nbch bits at `bytes` writes the parity, up to nldpc bits. Reads and writes up to kSlackBytes
    // more.
    void Encode(uint8_t* bytes);

 private:
    const Code& code_;
    std::vector<Rotation> rotations_;
    std::vector<uint64_t> columns_;

    void Accumulate(const uint8_t* bytes);
    void Sum();
    void Write(uint8_t* parity) const;
};

}  // namespace streamverse::modem
