// The tables of EN 302 307-1 and -2 as the build makes them of fact/: codes, MODCODs, constellations, PL
// signalling.
#pragma once

#include <cstdint>

namespace streamverse::modem {

enum class FrameSize : uint8_t { kNormal, kMedium, kShort };  // 64800, 32400, 16200 bits

inline constexpr unsigned kCodeCount = 55;
inline constexpr unsigned kGroupBits = 360;  // information bits that share a row of an LDPC table
inline constexpr unsigned kSlotSymbols = 90;
inline constexpr unsigned kPilotSymbols = 36;   // after each 16 slots
inline constexpr unsigned kPilotInterval = 16;  // slots
inline constexpr unsigned kHeaderSymbols = 90;  // SOF and PLSCODE
inline constexpr unsigned kFecBitsMax = 64800;

// Generator of a BCH code, left-aligned in 192 bits, without its leading one (5.3.1).
struct BchPolynomial {
    uint16_t degree;
    uint64_t words[3];
};

// One pair of outer and inner code (5.3, tables 5a, 5b and annexes B, C).
struct Code {
    FrameSize size;
    const char* rate;
    uint32_t kbch;
    uint32_t nbch;  // = Kldpc
    uint32_t nldpc;
    uint16_t q;  // (Nldpc - Kldpc) / 360
    uint16_t t;  // errors that BCH corrects
    BchPolynomial bch;
    uint32_t fieldPolynomial;   // primitive: of the field that the BCH code is over
    const uint16_t* addresses;  // of parity accumulators, row after row
    const uint16_t* rowEnds;    // nbch / 360 of them
};

struct Point {
    float i;
    float q;
};

struct VlSnr;

// By its PLS value; the pilots are its last bit (5.5.2). One without a code is not used.
struct Modcod {
    const char* name;
    const char* modulation;
    const Code* code;
    const Point* points;  // by label, 2^bitsPerSymbol of them
    const char* order;    // column of the label's k-th bit, most significant first; null: no interleaver
    uint16_t slots;
    uint8_t bitsPerSymbol;
    bool pilots;
    float thresholdDb;  // Es/N0 that a normal frame needs; no number where the standard gives none
    const VlSnr* vlSnr = nullptr;
};

inline constexpr unsigned kVlSnrCount = 9;
inline constexpr unsigned kVlSnrFirst = 256;  // what its header's index is added to, beyond the PLS values
inline constexpr unsigned kVlSnrHeaderBits = 896;

// A frame for a very low signal-to-noise ratio (EN 302 307-2, 5.5.2.5): a PLHEADER that several modes share,
// a header of its own, and a shortened and punctured word of a code. Its Modcod's code is that shortened one.
struct VlSnr {
    Modcod modcod;
    uint8_t pls;
    uint8_t headerIndex;
    const uint8_t* header;  // kVlSnrHeaderBits
    const Code* inner;      // before shortening and puncturing
    uint16_t shortened;     // zeros in front that are not sent, whole bytes
    uint16_t punctured;     // parity bits that are not sent
    uint16_t period;        // of these
    uint8_t spread;         // symbols a bit
    uint8_t set;            // 1 or 2
};

extern const VlSnr kVlSnr[kVlSnrCount];
extern const Code kCodes[kCodeCount];
extern const Modcod kModcods[256];
extern const char kSofBits[27];
extern const uint32_t kPlsRows[7];
extern const uint64_t kPlsScrambling;

}  // namespace streamverse::modem
