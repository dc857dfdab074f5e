#include "fec/src/reed_solomon.hpp"

#include <isa-l/erasure_code.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <climits>
#include <cstring>
#include <stdexcept>

#include "fec/src/galois.hpp"

namespace streamverse::fec {
namespace {

constexpr size_t kTableBytes = 32;  // ISA-L's expanded form of one coefficient
// ISA-L's kernels make so many symbols in one pass over the source; the tables of so many rows stay in the
// cache, where those of all rows would be written to memory and read back.
constexpr size_t kRowsAtOnce = 6;

// Expanding a coefficient by gf_vect_mul_init costs more than copying its 32 bytes. Newer ISA-L lays tables
// out otherwise where the CPU has GFNI, so copying is used only where it gives what ec_init_tables gives.
class ExpandedCoefficients {
 public:
    ExpandedCoefficients() {
        for (unsigned value = 0; value < 256; ++value) {
            auto coefficient = static_cast<unsigned char>(value);
            ec_init_tables(1, 1, &coefficient, tables_[value].data());
        }
        std::array<unsigned char, 6> probe{1, 2, 77, 128, 200, 255};
        std::array<unsigned char, 6 * kTableBytes> expected{};
        ec_init_tables(3, 2, probe.data(), expected.data());
        std::array<unsigned char, 6 * kTableBytes> copied{};
        Copy(probe, copied.data());
        copyable_ = copied == expected;
    }

    void Expand(unsigned columns, unsigned rows, std::span<uint8_t> coefficients, uint8_t* tables) const {
        if (copyable_) {
            Copy(coefficients, tables);
        } else {
            ec_init_tables(static_cast<int>(columns), static_cast<int>(rows), coefficients.data(), tables);
        }
    }

 private:
    void Copy(std::span<const uint8_t> coefficients, uint8_t* tables) const {
        for (const uint8_t coefficient : coefficients) {
            std::memcpy(tables, tables_[coefficient].data(), kTableBytes);
            tables += kTableBytes;
        }
    }

    std::array<std::array<unsigned char, kTableBytes>, 256> tables_{};
    bool copyable_ = false;
};

// A constant table of the machine, not state: made once, read by all threads.
const ExpandedCoefficients& Expanded() {
    static const ExpandedCoefficients expanded;
    return expanded;
}

void MultiplyInto(size_t bytes, unsigned columns, unsigned rows, uint8_t* tables, uint8_t** inputs,
                  uint8_t* const* outputs) {
    ec_encode_data(static_cast<int>(bytes), static_cast<int>(columns), static_cast<int>(rows), tables, inputs,
                   const_cast<uint8_t**>(outputs));
}

// log(alpha^left + alpha^right); the two differ and are below 255.
inline unsigned DifferenceLog(unsigned left, unsigned right) {
    return kGalois.logarithm[kGalois.exponent[left] ^ kGalois.exponent[right]];
}

uint8_t FromLog(unsigned sum) {
    return kGalois.exponent[sum % kFieldOrder];
}

}  // namespace

ReedSolomon::ReedSolomon(unsigned sourceCount, unsigned symbolCount)
    : sourceCount_(sourceCount), symbolCount_(symbolCount) {
    if (sourceCount < 1 || sourceCount > symbolCount || symbolCount > kSymbolsMax) {
        throw std::invalid_argument("Reed-Solomon over GF(2^8) needs 1 <= k <= n <= 255");
    }
    // inverse(V(k,k)) * V(k,n) interpolates: symbol j is a polynomial's value at alpha^j, and the polynomial
    // is given by its values at alpha^0..alpha^(k-1). So entry (i, j) is the i-th Lagrange basis polynomial
    // at alpha^j, which needs k*n products where an inversion would need k^3.
    const unsigned rows = symbolCount - sourceCount;
    productLog_.resize(symbolCount);
    for (unsigned symbol = 0; symbol < symbolCount; ++symbol) {
        unsigned sum = 0;
        for (unsigned other = 0; other < sourceCount; ++other) {
            sum += other == symbol ? 0 : DifferenceLog(symbol, other);
        }
        productLog_[symbol] = sum % kFieldOrder;
    }
    matrix_.resize(static_cast<size_t>(rows) * sourceCount);
    for (unsigned row = 0; row < rows; ++row) {
        const unsigned symbol = sourceCount + row;
        for (unsigned i = 0; i < sourceCount; ++i) {
            matrix_[static_cast<size_t>(row) * sourceCount + i] =
                FromLog(productLog_[symbol] + 2 * kFieldOrder - DifferenceLog(symbol, i) - productLog_[i]);
        }
    }
}

std::span<const uint8_t> ReedSolomon::Row(unsigned esi) const {
    if (esi < sourceCount_ || esi >= symbolCount_) {
        throw std::out_of_range("no such repair symbol");
    }
    return std::span<const uint8_t>{matrix_}.subspan(static_cast<size_t>(esi - sourceCount_) * sourceCount_,
                                                     sourceCount_);
}

void ReedSolomon::Encode(size_t symbolBytes, const uint8_t* const* source, uint8_t* const* repair) const {
    const unsigned rows = symbolCount_ - sourceCount_;
    if (rows == 0 || symbolBytes == 0) {
        return;
    }
    if (symbolBytes > INT_MAX) {
        throw std::invalid_argument("a symbol is too large");
    }
    std::call_once(encodeTablesOnce_, [&] {
        std::vector<uint8_t> coefficients = matrix_;
        encodeTables_.resize(coefficients.size() * kTableBytes);
        Expanded().Expand(sourceCount_, rows, coefficients, encodeTables_.data());
    });
    // ISA-L takes no const, but reads only.
    MultiplyInto(symbolBytes, sourceCount_, rows, encodeTables_.data(), const_cast<uint8_t**>(source),
                 repair);
}

// Leaves in workspace.coefficients, for every missing symbol m, the Lagrange basis of the known symbols at
// alpha^m: the present source symbols in their own columns, the chosen repair symbols in those of the missing
// ones. With N = the known symbols, the coefficient of y in N is prod(z in N, z != y) (m - z) / (y - z). The
// products over N come from those over all source symbols (productLog_) by taking the missing out and the
// repair symbols in.
void ReedSolomon::Solve(std::span<const RepairSymbol> repair, Workspace& workspace) const {
    const std::vector<unsigned>& missing = workspace.missing;
    const size_t lost = missing.size();
    // Points alpha^esi, and logarithms of their distances.
    std::array<uint8_t, kSymbolsMax> known{};
    std::array<uint8_t, kSymbolsMax> missed{};
    std::array<uint8_t, kSymbolsMax> chosen{};
    std::array<unsigned, kSymbolsMax> inverseLog{};
    const auto distance = [](uint8_t left, uint8_t right) -> unsigned {
        return kGalois.logarithm[left ^ right];
    };
    for (unsigned column = 0; column < sourceCount_; ++column) {
        known[column] = AlphaPower(column);
        inverseLog[column] = productLog_[column];
    }
    for (size_t index = 0; index < lost; ++index) {
        missed[index] = AlphaPower(missing[index]);
        chosen[index] = AlphaPower(repair[index].esi);
        known[missing[index]] = chosen[index];
        inverseLog[missing[index]] = productLog_[repair[index].esi];
    }
    // The logarithm of 1 is 0, but that of 0, which the table has as 0 too, stands for the factor that is
    // left out.
    for (unsigned column = 0; column < sourceCount_; ++column) {
        unsigned product = inverseLog[column];
        for (size_t index = 0; index < lost; ++index) {
            product +=
                distance(known[column], chosen[index]) + kFieldOrder - distance(known[column], missed[index]);
        }
        inverseLog[column] = kFieldOrder - product % kFieldOrder;
    }
    workspace.coefficients.resize(lost * sourceCount_);
    uint8_t* coefficient = workspace.coefficients.data();
    for (size_t row = 0; row < lost; ++row) {
        unsigned product = productLog_[missing[row]];
        for (size_t index = 0; index < lost; ++index) {
            product +=
                distance(missed[row], chosen[index]) + kFieldOrder - distance(missed[row], missed[index]);
        }
        product = product % kFieldOrder + kFieldOrder;
        for (unsigned column = 0; column < sourceCount_; ++column) {
            *coefficient++ =
                kGalois.exponent[product - distance(missed[row], known[column]) + inverseLog[column]];
        }
    }
}

bool ReedSolomon::Recover(size_t symbolBytes, const uint8_t* const* source,
                          std::span<const RepairSymbol> repair, uint8_t* const* recovered,
                          Workspace& workspace) const {
    workspace.missing.clear();
    workspace.inputs.resize(sourceCount_);
    for (unsigned esi = 0; esi < sourceCount_; ++esi) {
        workspace.inputs[esi] = const_cast<uint8_t*>(source[esi]);
        if (source[esi] == nullptr) {
            workspace.missing.push_back(esi);
        }
    }
    const size_t lost = workspace.missing.size();
    if (lost == 0) {
        return true;
    }
    if (symbolBytes == 0 || symbolBytes > INT_MAX) {
        return false;
    }
    std::array<RepairSymbol, kSymbolsMax> chosen{};
    std::bitset<kSymbolsMax + 1> seen;
    size_t count = 0;
    for (const RepairSymbol& symbol : repair) {
        if (count == lost) {
            break;
        }
        if (symbol.esi >= sourceCount_ && symbol.esi < symbolCount_ && symbol.bytes != nullptr &&
            !seen[symbol.esi]) {
            seen.set(symbol.esi);
            chosen[count++] = symbol;
        }
    }
    if (count < lost) {
        return false;
    }
    Solve({chosen.data(), lost}, workspace);
    for (size_t index = 0; index < lost; ++index) {
        workspace.inputs[workspace.missing[index]] = const_cast<uint8_t*>(chosen[index].bytes);
    }
    workspace.tables.resize(std::min(lost, kRowsAtOnce) * sourceCount_ * kTableBytes);
    for (size_t row = 0; row < lost; row += kRowsAtOnce) {
        const size_t rows = std::min(kRowsAtOnce, lost - row);
        Expanded().Expand(sourceCount_, static_cast<unsigned>(rows),
                          std::span{workspace.coefficients}.subspan(row * sourceCount_, rows * sourceCount_),
                          workspace.tables.data());
        MultiplyInto(symbolBytes, sourceCount_, static_cast<unsigned>(rows), workspace.tables.data(),
                     workspace.inputs.data(), recovered + row);
    }
    return true;
}

std::shared_ptr<const ReedSolomon> ReedSolomonCache::Get(unsigned sourceCount, unsigned symbolCount) {
    const auto found = std::find_if(codes_.begin(), codes_.end(), [&](const auto& code) {
        return code->sourceCount() == sourceCount && code->symbolCount() == symbolCount;
    });
    if (found != codes_.end()) {
        codes_.splice(codes_.begin(), codes_, found);
        return codes_.front();
    }
    codes_.push_front(std::make_shared<const ReedSolomon>(sourceCount, symbolCount));
    if (codes_.size() > codesMax_) {
        codes_.pop_back();
    }
    return codes_.front();
}

}  // namespace streamverse::fec
