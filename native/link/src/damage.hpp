// Every kind of damage that a receiver counts, by name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "link/src/byte_order.hpp"

namespace streamverse::link {

enum class Damage : uint8_t {
    kSyncLoss,         // packets no longer begin with 0x47, or frames with a header, where they should
    kTransportError,   // a packet that the demodulator marked
    kScrambledPacket,  // transport_scrambling_control
    kAdaptationField,  // longer than its packet
    kDiscontinuity,    // continuity_counter
    kTooManyPids,      // more that carry sections than there is room for
    kPointerField,     // beyond its packet, or not where the section or SNDU before it ends
    kSectionLength,    // more than 4096 bytes, or too short for its kind
    kSectionCut,       // another began, or packets are missing, before its end
    kSectionCrc,
    kSectionForeign,    // on an MPE PID, but another table
    kSectionScrambled,  // payload_ or address_scrambling_control
    kSectionNumbered,   // one of several sections of a datagram
    kSectionSnap,       // LLC/SNAP of something else than IP
    kPsiSyntax,         // loops or descriptors that are longer than their table
    kSnduLength,
    kSnduCut,
    kSnduCrc,
    kSnduType,       // neither IP nor an extension that may be skipped
    kFrameCrc,       // CRC-8 of the BBHEADER
    kFrameLength,    // a data field that is longer than its frame, or no whole bytes
    kFrameCut,       // the next one began before its end
    kFrameGap,       // a number is missing
    kFrameSync,      // SYNCD is not where the user packet before it ends
    kFrameKind,      // generic packets, or a transport stream of others than 188 bytes
    kUserPacketCrc,  // CRC-8 in the place of the sync byte
    kGseLength,      // beyond the data field, or too short for its headers
    kGseLabel,       // re-use where there is none, or the invalid one
    kGseType,        // neither IP nor an extension that may be skipped
    kGseOrphan,      // a fragment whose first one is missing
    kGseOverlap,     // a first fragment where one is under way
    kGseTotal,       // fragments that are not as long as the first one said
    kGseCrc,
    kGseTimeout,       // no last fragment within 256 BBFRAMEs
    kGseRoom,          // more under way than there is room for
    kRtpGap,           // a sequence number is missing
    kForeignDatagram,  // neither TS, nor RTP with it, nor a BBFRAME
    kIpMalformed,
};

inline constexpr std::array<std::string_view, 38> kDamageNames = {
    "sync-loss",       "transport-error",   "scrambled-packet", "adaptation-field", "discontinuity",
    "too-many-pids",   "pointer-field",     "section-length",   "section-cut",      "section-crc",
    "section-foreign", "section-scrambled", "section-numbered", "section-snap",     "psi-syntax",
    "sndu-length",     "sndu-cut",          "sndu-crc",         "sndu-type",        "frame-crc",
    "frame-length",    "frame-cut",         "frame-gap",        "frame-sync",       "frame-kind",
    "user-packet-crc", "gse-length",        "gse-label",        "gse-type",         "gse-orphan",
    "gse-overlap",     "gse-total",         "gse-crc",          "gse-timeout",      "gse-room",
    "rtp-gap",         "foreign-datagram",  "ip-malformed"};

inline constexpr uint16_t kNowhere = 0xFFFF;

// Where something was: a PID and an ISI, or kNowhere.
struct Origin {
    uint16_t pid = kNowhere;
    uint16_t inputStream = kNowhere;
};

struct DecoderTotals {
    uint64_t carrierBytes = 0;
    uint64_t packets = 0;
    uint64_t nullPackets = 0;
    uint64_t frames = 0;
    uint64_t encapsulatedBytes = 0;
    uint64_t datagrams = 0;
    uint64_t ipBytes = 0;
    std::array<uint64_t, kDamageNames.size()> damage{};
};

// What receivers tell; called while they work, on their thread.
class Listener {
 public:
    virtual ~Listener() = default;
    // Whole, with an outline; valid during the call.
    virtual void OnDatagram(const Origin& origin, Bytes datagram) = 0;
    virtual void OnDamage(const Origin& origin, Damage damage) = 0;
};

// What all receivers of one stream write to.
struct ReceiveContext {
    Listener& listener;
    DecoderTotals totals;

    void Report(const Origin& origin, Damage damage) {
        ++totals.damage[static_cast<size_t>(damage)];
        listener.OnDamage(origin, damage);
    }
    // Bytes that should be an IP datagram, perhaps with padding behind it.
    void Deliver(const Origin& origin, Bytes datagram);
};

}  // namespace streamverse::link
