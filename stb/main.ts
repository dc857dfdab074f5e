import {runRole} from '#appliance/process/run-role.ts';
import {stbConfigSchema} from '#stb/config-schema.ts';
import {startStb} from '#stb/start.ts';

await runRole({kind: 'stb', configSchema: stbConfigSchema, start: startStb});
