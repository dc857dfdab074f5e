// JavaScript's values of a tuner as the core's, and back.
#pragma once

#include <napi.h>

#include "dvb/src/antenna.hpp"
#include "dvb/src/demux.hpp"
#include "dvb/src/kernel_frontend.hpp"
#include "dvb/src/statistics.hpp"

namespace streamverse::dvb {

constexpr char kArgument[] = "NATIVE_DVB_ARGUMENT";

Tuning ReadTuning(const Napi::Value& value);
Antenna ReadAntenna(const Napi::Value& value);
DemuxPath ReadDemuxPath(const Napi::Value& value);
SectionFilter ReadSectionFilter(const Napi::Value& value);
std::vector<uint16_t> ReadPids(const Napi::Value& value);

Napi::Object WriteStatistics(Napi::Env env, const Statistics& statistics);
Napi::Object WriteFacts(Napi::Env env, const FrontendFacts& facts);
// What would be sent to the cable and the driver, for who wants to see it.
Napi::Object WritePlan(Napi::Env env, const AntennaPlan& plan, const std::vector<Property>& properties);

}  // namespace streamverse::dvb
