// The guard as a plugin of mosquitto 2.0 (mosquitto_plugin.h, interface 5). Its callback is asked before
// mosquitto's own access rules: what it does not refuse, it leaves to them. The broker has one thread, so
// nothing here is locked.
#include <cstdint>
#include <ctime>
#include <memory>
#include <new>
#include <string_view>

#include "broker/src/mosquitto_api.hpp"
#include "broker/src/topic_guard.hpp"

namespace {

using streamverse::broker::TopicGuard;

// Of mosquitto.h, which is another Debian package and has nothing else that is needed here.
constexpr int kSuccess = 0;
constexpr int kOutOfMemory = 1;
constexpr int kInvalid = 3;
constexpr int kDenied = 12;
constexpr int kDefer = 17;
constexpr int kLogWarning = 0x04;

// A hostile client is told of, and does not fill the log.
constexpr std::time_t kSecondsBetweenWarnings = 10;

struct Plugin {
    mosquitto_plugin_id_t* identifier;
    TopicGuard guard;
    std::time_t warned = 0;
    uint64_t refusals = 0;
};

void Warn(Plugin& plugin, const char* user, const char* what) {
    plugin.refusals += 1;
    const std::time_t now = std::time(nullptr);
    if (now - plugin.warned >= kSecondsBetweenWarnings) {
        plugin.warned = now;
        mosquitto_log_printf(kLogWarning, "guard: %s may not %s; %llu refused since the start", user, what,
                             static_cast<unsigned long long>(plugin.refusals));
    }
}

int OnAccess(int /*event*/, void* data, void* self) {
    auto& plugin = *static_cast<Plugin*>(self);
    const auto& asked = *static_cast<const mosquitto_evt_acl_check*>(data);
    const bool subscribes = asked.access == MOSQ_ACL_SUBSCRIBE;
    if (!subscribes && !(asked.access == MOSQ_ACL_WRITE && asked.retain)) {
        return kDefer;
    }
    const char* name = mosquitto_client_username(asked.client);
    const std::string_view user = name == nullptr ? "" : name;
    const std::string_view topic = asked.topic == nullptr ? "" : asked.topic;
    if (subscribes ? plugin.guard.MaySubscribe(user, topic) : plugin.guard.MayRetain(user, topic)) {
        return kDefer;
    }
    Warn(plugin, name == nullptr ? "nobody" : name, subscribes ? "subscribe to this" : "retain this");
    return kDenied;
}

}  // namespace

int mosquitto_plugin_version(int count, const int* versions) {
    for (int index = 0; index < count; index += 1) {
        if (versions[index] == MOSQ_PLUGIN_VERSION) {
            return MOSQ_PLUGIN_VERSION;
        }
    }
    return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier, void** self, mosquitto_opt* options, int count) {
    try {
        auto plugin = std::make_unique<Plugin>(Plugin{.identifier = identifier, .guard = {}});
        for (int index = 0; index < count; index += 1) {
            const std::string_view name = options[index].key;
            if (name == "subscribe") {
                plugin->guard.AllowSubscribe(options[index].value);
            } else if (name == "retain") {
                plugin->guard.AllowRetain(options[index].value);
            } else {
                return kInvalid;
            }
        }
        const int registered =
            mosquitto_callback_register(identifier, MOSQ_EVT_ACL_CHECK, OnAccess, nullptr, plugin.get());
        if (registered == kSuccess) {
            *self = plugin.release();
        }
        return registered;
    } catch (const std::bad_alloc&) {
        return kOutOfMemory;
    }
}

int mosquitto_plugin_cleanup(void* self, mosquitto_opt* /*options*/, int /*count*/) {
    const std::unique_ptr<Plugin> plugin(static_cast<Plugin*>(self));
    return plugin == nullptr
               ? kSuccess
               : mosquitto_callback_unregister(plugin->identifier, MOSQ_EVT_ACL_CHECK, OnAccess, nullptr);
}
