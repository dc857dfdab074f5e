#include "dvb/src/arguments.hpp"

#include <algorithm>

#include "binding/value.hpp"

namespace streamverse::dvb {
namespace {

using binding::Arguments;

constexpr double kKhzMax = 100e6;
constexpr double kSymbolRateMax = 1e9;

uint32_t Number(const Arguments& from, const char* name, double most) {
    return static_cast<uint32_t>(from.Whole(name, 0, most));
}

std::optional<uint32_t> MaybeNumber(const Arguments& from, const char* name, double most) {
    return from.Has(name) ? std::optional(Number(from, name, most)) : std::nullopt;
}

Polarization ReadPolarization(const Arguments& from) {
    const std::string name = from.Text("polarization");
    if (name == "vertical" || name == "horizontal") {
        return name == "vertical" ? Polarization::vertical : Polarization::horizontal;
    }
    if (name == "right" || name == "left") {
        return name == "right" ? Polarization::right : Polarization::left;
    }
    throw from.Wrong("polarization", "vertical, horizontal, right or left");
}

Unicable ReadUnicable(const Napi::Value& value) {
    const Arguments from(value, kArgument);
    return {.second = from.Flag("second"),
            .userBand = Number(from, "userBand", 31),
            .frequencyKhz = Number(from, "frequencyKhz", kKhzMax),
            .position = Number(from, "position", 63),
            .pin = MaybeNumber(from, "pin", 255)};
}

void ReadBytes(const Arguments& from, const char* name, std::array<uint8_t, kSectionFilterBytes>& into) {
    const auto [data, length] = from.Octets(name);
    if (length > into.size()) {
        throw from.Wrong(name, "at most 16 bytes");
    }
    std::copy_n(data, length, into.begin());
}

void SetIf(Napi::Object& object, const char* name, const std::optional<double>& value) {
    if (value) {
        object.Set(name, *value);
    }
}

Napi::Value WriteStep(Napi::Env env, const ControlStep& step) {
    Napi::Object object = Napi::Object::New(env);
    if (const auto* voltage = std::get_if<SetVoltage>(&step)) {
        object.Set("kind", "voltage");
        object.Set("volts", voltage->high ? 18 : 13);
    } else if (const auto* tone = std::get_if<SetTone>(&step)) {
        object.Set("kind", "tone");
        object.Set("on", tone->on);
    } else if (const auto* burst = std::get_if<SendBurst>(&step)) {
        object.Set("kind", "burst");
        object.Set("position", burst->second ? "b" : "a");
    } else if (const auto* message = std::get_if<SendMessage>(&step)) {
        object.Set("kind", "message");
        object.Set("bytes", Napi::Buffer<uint8_t>::Copy(env, message->bytes.data(), message->bytes.size()));
    } else {
        object.Set("kind", "wait");
        object.Set("ms", std::get<Wait>(step).ms);
    }
    return object;
}

}  // namespace

Tuning ReadTuning(const Napi::Value& value) {
    const Arguments from(value, kArgument);
    return {.system = from.Text("system"),
            .frequencyKhz = Number(from, "frequencyKhz", kKhzMax),
            .polarization = ReadPolarization(from),
            .symbolRate = Number(from, "symbolRate", kSymbolRateMax),
            .modulation = from.TextOr("modulation", "auto"),
            .codeRate = from.TextOr("codeRate", "auto"),
            .rollOff = from.TextOr("rollOff", "auto"),
            .pilot = from.TextOr("pilot", "auto"),
            .inputStream = MaybeNumber(from, "inputStream", kInputStreamMax),
            .plsIndex = MaybeNumber(from, "plsIndex", kPlsIndexMax)};
}

Antenna ReadAntenna(const Napi::Value& value) {
    const Arguments from(value, kArgument);
    const Arguments lnb(from.Get("lnb"), kArgument);
    return {
        .lnb = {.lowKhz = Number(lnb, "lowKhz", kKhzMax),
                .highKhz = Number(lnb, "highKhz", kKhzMax),
                .switchKhz = Number(lnb, "switchKhz", kKhzMax)},
        .committed = MaybeNumber(from, "committed", 3),
        .uncommitted = MaybeNumber(from, "uncommitted", 15),
        .burst = MaybeNumber(from, "burst", 1),
        .unicable = from.Has("unicable") ? std::optional(ReadUnicable(from.Get("unicable"))) : std::nullopt};
}

DemuxPath ReadDemuxPath(const Napi::Value& value) {
    const Arguments from(value, kArgument);
    return {.adapter = Number(from, "adapter", 255),
            .demux = Number(from, "demux", 255),
            .root = from.TextOr("root", "/dev/dvb")};
}

SectionFilter ReadSectionFilter(const Napi::Value& value) {
    const Arguments from(value, kArgument);
    SectionFilter filter{.pid = static_cast<uint16_t>(Number(from, "pid", kPidMax))};
    ReadBytes(from, "value", filter.value);
    ReadBytes(from, "mask", filter.mask);
    filter.checkCrc = from.Flag("checkCrc");
    return filter;
}

std::vector<uint16_t> ReadPids(const Napi::Value& value) {
    const Arguments from(value, kArgument);
    if (from.Flag("all")) {
        return {kPidAll};
    }
    const Napi::Array list = from.List("pids", kPidsMax);
    std::vector<uint16_t> pids;
    for (uint32_t index = 0; index < list.Length(); ++index) {
        const Napi::Value entry = list.Get(index);
        const double pid = entry.IsNumber() ? entry.As<Napi::Number>().DoubleValue() : -1;
        if (!(pid >= 0 && pid <= kPidMax)) {
            throw from.Wrong("pids", "a list of PIDs");
        }
        pids.push_back(static_cast<uint16_t>(pid));
    }
    return pids;
}

Napi::Object WriteStatistics(Napi::Env env, const Statistics& statistics) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("signal", statistics.signal);
    object.Set("carrier", statistics.carrier);
    object.Set("code", statistics.code);
    object.Set("sync", statistics.sync);
    object.Set("locked", statistics.locked);
    SetIf(object, "levelDbm", statistics.levelDbm);
    SetIf(object, "levelRatio", statistics.levelRatio);
    SetIf(object, "cnrDb", statistics.cnrDb);
    SetIf(object, "cnrRatio", statistics.cnrRatio);
    SetIf(object, "preBitErrorRatio", statistics.preBitErrorRatio);
    SetIf(object, "bitErrorRatio", statistics.bitErrorRatio);
    SetIf(object, "blockErrorRatio", statistics.blockErrorRatio);
    if (statistics.blockErrors && statistics.blocks) {
        object.Set("blockErrors", static_cast<double>(*statistics.blockErrors));
        object.Set("blocks", static_cast<double>(*statistics.blocks));
    }
    return object;
}

Napi::Object WriteFacts(Napi::Env env, const FrontendFacts& facts) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("adapter", facts.adapter);
    object.Set("frontend", facts.frontend);
    object.Set("name", facts.name);
    object.Set("bus", facts.bus);
    Napi::Array systems = Napi::Array::New(env);
    for (const std::string& system : facts.systems) {
        systems.Set(systems.Length(), system);
    }
    object.Set("systems", systems);
    object.Set("frequencyKhzMin", facts.frequencyKhzMin);
    object.Set("frequencyKhzMax", facts.frequencyKhzMax);
    object.Set("symbolRateMin", facts.symbolRateMin);
    object.Set("symbolRateMax", facts.symbolRateMax);
    object.Set("multistream", facts.multistream);
    object.Set("satellite", facts.satellite);
    return object;
}

Napi::Object WritePlan(Napi::Env env, const AntennaPlan& plan, const std::vector<Property>& properties) {
    Napi::Object object = Napi::Object::New(env);
    Napi::Array steps = Napi::Array::New(env);
    for (const ControlStep& step : plan.steps) {
        steps.Set(steps.Length(), WriteStep(env, step));
    }
    Napi::Array list = Napi::Array::New(env);
    for (const Property& property : properties) {
        Napi::Object entry = Napi::Object::New(env);
        entry.Set("command", property.command);
        entry.Set("value", property.value);
        list.Set(list.Length(), entry);
    }
    object.Set("steps", steps);
    object.Set("properties", list);
    object.Set("tunerKhz", plan.tunerKhz);
    return object;
}

}  // namespace streamverse::dvb
