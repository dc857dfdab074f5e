// Filters of a demultiplexer and the kernel's own IP, as descriptors that are read.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "packet/src/descriptor.hpp"

namespace streamverse::dvb {

using packet::Descriptor;

constexpr uint32_t kPidMax = 0x1FFF;
// The demultiplexer's word for all of them.
constexpr uint16_t kPidAll = 0x2000;
constexpr size_t kSectionFilterBytes = 16;
constexpr size_t kPidsMax = 64;

struct DemuxPath {
    uint32_t adapter = 0;
    uint32_t demux = 0;
    std::string root = "/dev/dvb";
};

// Byte 0 is the table id, byte 1 the first after the section's length (dmx.h).
struct SectionFilter {
    uint16_t pid = 0;
    std::array<uint8_t, kSectionFilterBytes> value{};
    std::array<uint8_t, kSectionFilterBytes> mask{};
    bool checkCrc = true;
};

// What one reading needs open: the first is read, the others keep filters running.
struct DemuxReading {
    std::vector<Descriptor> descriptors;
};

// All throw DvbError by what the device answers. A read gives one section.
DemuxReading OpenSections(const DemuxPath& path, const SectionFilter& filter, uint32_t bufferBytes);
// PES packets of one PID, as bytes.
DemuxReading OpenPes(const DemuxPath& path, uint16_t pid, uint32_t bufferBytes);
// Transport packets; all PIDs go through the DVR device, of which each adapter has one.
DemuxReading OpenTransportStream(const DemuxPath& path, const std::vector<uint16_t>& pids,
                                 uint32_t bufferBytes);

enum class NetEncapsulation : uint8_t { mpe = 0, ule = 1 };
// Makes a network interface of a PID and answers its name. Needs CAP_NET_ADMIN.
std::string AddNetInterface(const DemuxPath& path, uint16_t pid, NetEncapsulation encapsulation);
void RemoveNetInterface(const DemuxPath& path, uint32_t number);

}  // namespace streamverse::dvb
