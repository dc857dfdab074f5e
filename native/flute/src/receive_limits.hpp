// Every bound of the receiver in one place; those of the first block are options of openFluteReceiver.
#pragma once

#include <cstddef>
#include <cstdint>

namespace streamverse::flute {

struct ReceiveLimits {
    uint64_t objectBytesMax = uint64_t{8} << 30;
    uint64_t objectsOpenMax = 16384;
    uint64_t openBytesMax = uint64_t{16} << 30;
    uint64_t unknownBytesMax = uint64_t{32} << 20;
    uint64_t fdtBytesMax = uint64_t{4} << 20;
    uint64_t repairSymbolBytesMax = uint64_t{64} << 20;

    // A foreign or hostile sender on an any-TSI endpoint must not open sessions without end.
    size_t sessionsPerEndpointMax = 64;
    // Objects known per session, received or not; the oldest finished ones are forgotten first.
    size_t knownObjectsMax = 262144;
    // What is known of all of them: a described object costs what its FDT entry says, not what it weighs.
    uint64_t describedBytesMax = uint64_t{256} << 20;
    size_t fdtAssembliesMax = 8;
    // An FDT instance of which nothing came for so long makes room for others.
    int64_t fdtIdleMs = 300'000;
    size_t fdtInstancesMax = 64;
    // Maps of symbols, so that objects of one-byte symbols cannot eat the memory.
    uint64_t mapBytesMax = uint64_t{64} << 20;
    // While the listener does not take its events no further object is opened.
    size_t eventsMax = 131072;
    size_t partialRangesMax = 4096;
    unsigned digestAttemptsMax = 3;
};

}  // namespace streamverse::flute
