import {readFileSync} from 'node:fs';
import {boxKinds} from '#appliance/contract/box-schema.ts';
import {registerBenchCommand} from '#cli/command/bench.ts';
import {registerCatalogueCommand} from '#cli/command/catalogue.ts';
import {registerConfigCommand} from '#cli/command/config.ts';
import {registerContractCommand} from '#cli/command/contract.ts';
import {registerDemoCommand} from '#cli/command/demo.ts';
import {registerFlashCommand} from '#cli/command/flash.ts';
import {registerFleetCommand} from '#cli/command/fleet.ts';
import {registerImageCommand} from '#cli/command/image.ts';
import {registerModemCommand} from '#cli/command/modem.ts';
import {registerProbeCommand} from '#cli/command/probe.ts';
import {registerReleaseCommand} from '#cli/command/release.ts';
import {registerRoleCommand} from '#cli/command/role.ts';
import {registerSupervisorCommand} from '#cli/command/supervisor.ts';
import {registerTestCommand} from '#cli/command/test.ts';
import {registerToolCommand} from '#cli/command/tool.ts';
import {createProgram, runProgram} from '#cli/program.ts';

const {version} = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {version: string};

const program = createProgram({
	version,
	examples: '  $ ./streamverse demo          # watch it work\n  $ ./streamverse test          # see that it works',
});

registerDemoCommand(program);
registerTestCommand(program);
registerBenchCommand(program);
registerSupervisorCommand(program);
registerFleetCommand(program);
for (const kind of boxKinds) {
	registerRoleCommand(program, kind);
}
registerCatalogueCommand(program);
registerConfigCommand(program);
registerReleaseCommand(program);
registerModemCommand(program);
registerProbeCommand(program);
registerImageCommand(program);
registerFlashCommand(program);
registerToolCommand(program);
registerContractCommand(program);

await runProgram(program);
