// What all sessions and objects of one receiver share. Receiver thread only, save where a member says
// otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "flute/src/assembly.hpp"
#include "flute/src/budget.hpp"
#include "flute/src/event_queue.hpp"
#include "flute/src/hash_job.hpp"
#include "flute/src/object_views.hpp"
#include "flute/src/receive_limits.hpp"
#include "flute/src/symbol_store.hpp"

namespace streamverse::flute {

class ReceivedObject;

// Expiry is told in Unix time, idleness measured on the monotonic clock.
struct Now {
    int64_t monotonicMs = 0;
    int64_t unixMs = 0;
};

struct ReceiveStats {
    uint64_t packets = 0;
    uint64_t bytes = 0;
    uint64_t kernelDrops = 0;
    uint64_t malformedPackets = 0;
    uint64_t foreignPackets = 0;
    uint64_t lateSymbols = 0;
    uint64_t refusedSymbols = 0;
    uint64_t unsupportedPackets = 0;
    uint64_t fdtInstances = 0;
    uint64_t fdtRefused = 0;
    uint64_t fdtChanged = 0;
    uint64_t fdtExpired = 0;
    uint64_t fecRecoveredBytes = 0;
    uint64_t objectsOpen = 0;
    uint64_t openBytes = 0;
    uint64_t unknownBytes = 0;
    uint64_t unknownDropped = 0;
    uint64_t objectsComplete = 0;
    uint64_t objectsGivenUp = 0;
};

struct ReceiveSettings {
    std::string directory;
    ReceiveLimits limits;
    int64_t objectIdleMs = 2000;
    int64_t progressIntervalMs = 250;
};

struct ReceiveContext {
    ReceiveContext(const ReceiveSettings& givenSettings, EventQueue& givenEvents, ObjectViews& givenViews,
                   std::function<void(std::shared_ptr<HashJob>)> givenVerify)
        : settings(givenSettings),
          events(givenEvents),
          views(givenViews),
          verify(std::move(givenVerify)),
          workshop(givenSettings.limits.repairSymbolBytesMax),
          openBytes(givenSettings.limits.openBytesMax),
          openObjects(givenSettings.limits.objectsOpenMax),
          mapBytes(givenSettings.limits.mapBytesMax),
          fdtBytes(givenSettings.limits.fdtBytesMax * kFdtBodiesMax),
          describedBytes(givenSettings.limits.describedBytesMax) {}

    static constexpr size_t kOpenFilesMax = 128;
    // Bodies of FDT instances held by all sessions together, in units of the largest one.
    static constexpr uint64_t kFdtBodiesMax = 16;

    const ReceiveSettings& settings;
    EventQueue& events;
    ObjectViews& views;
    std::function<void(std::shared_ptr<HashJob>)> verify;
    ReceiveStats stats;
    FileCache files{kOpenFilesMax};
    RepairWorkshop workshop;
    Budget openBytes;
    Budget openObjects;
    Budget mapBytes;
    Budget fdtBytes;
    Budget describedBytes;
    uint64_t nextId = 1;
    uint64_t nextHashJob = 1;
    // Objects touched since the last flush, and those in the middle of a transmission.
    std::vector<ReceivedObject*> dirty;
    std::unordered_set<ReceivedObject*> active;
    std::unordered_map<uint64_t, ReceivedObject*> objects;
};

}  // namespace streamverse::flute
