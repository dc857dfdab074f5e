// What a transport stream's tables say of it (PAT, PMT, NIT, SDT, TDT).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "link/src/damage.hpp"
#include "link/src/program_tables.hpp"

namespace streamverse::link {

struct FoundStream {
    uint16_t pid = 0;
    uint8_t streamType = 0;
    std::optional<uint16_t> dataBroadcastId;
    bool isUle = false;  // by its registration_descriptor or stream type
};

struct FoundService {
    uint16_t pmtPid = 0;
    std::string name;
    std::string provider;
    std::vector<FoundStream> streams;
};

inline constexpr size_t kFoundServicesMax = 256;
inline constexpr size_t kFoundStreamsMax = 32;  // of a service

class FoundPrograms {
 public:
    // A section of one of the tables' PIDs, or of a PMT's; answers whether services or streams have changed.
    bool OnSection(const Origin& origin, Bytes section, ReceiveContext& context);

    const std::map<uint16_t, FoundService>& services() const { return services_; }
    std::optional<uint16_t> transportStreamId;
    std::optional<uint16_t> originalNetworkId;
    std::optional<uint16_t> networkId;
    std::optional<std::string> networkName;
    std::optional<SatelliteDelivery> delivery;
    std::optional<int64_t> unixSeconds;  // of the last TDT

 private:
    // By which what is repeated is told from what is new.
    struct Seen {
        int version = -1;
        std::map<uint8_t, uint32_t> checksums;  // by section_number
    };
    enum class News : uint8_t { kNone, kMore, kOther };

    std::map<uint16_t, FoundService> services_;
    std::map<uint32_t, Seen> seen_;  // by table_id and its extension

    News NewsOf(Bytes section);
    bool ReadPat(Bytes section, News news);
    bool ReadPmt(Bytes section, uint16_t pid, bool& isSound);
    bool ReadNit(Bytes section);
    bool ReadSdt(Bytes section);
    void ReadTdt(Bytes section);
};

}  // namespace streamverse::link
