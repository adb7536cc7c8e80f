/** `numa`: NUMA nodes. */
import type { NumaConfigInfo } from "../../generated/types.gen.ts";
import type { Config } from "../config.ts";
import type { RuleContext } from "./context.ts";
import { type Rule, type Violation, violation, violationsOf } from "./rule.ts";

const rules: readonly Rule<NumaConfigInfo>[] = [
  {
    field: "device_id",
    when: ({ device_id, cpus, memory_zones }) =>
      device_id !== undefined &&
      (cpus !== undefined || memory_zones !== undefined),
    message: numa(
      "device_id in numa config is mutually exclusive with cpus and " +
        "memory_zones",
    ),
  },
  {
    field: "device_id",
    when: ({ device_id }) => device_id === "",
    message: numa("device_id in numa config cannot be empty"),
  },
  {
    when: ({ device_id, cpus, memory_zones }) =>
      device_id === undefined && cpus === undefined &&
      memory_zones === undefined,
    message: numa(
      "numa config must specify either device_id or cpus/memory_zones",
    ),
  },
  {
    field: "cpus",
    when: ({ cpus }) => cpus?.length === 0,
    message: numa("cpus list in numa config cannot be empty"),
  },
  {
    field: "memory_zones",
    when: ({ cpus, memory_zones }) =>
      cpus === undefined && memory_zones?.length === 0,
    message: numa("memory_zones in numa config cannot be empty"),
  },
];

const node = rules.map((rule) => ({ ...rule, since: "v51.0" }));

function numa(problem: string): string {
  return `Invalid NUMA configuration: ${problem}`;
}

/** The rules of each node. A zone or a segment must not be in two nodes. */
export function* nodeViolations(
  { numa: nodes = [] }: Config,
  context: RuleContext,
): Generator<Violation> {
  const zones = new Map<string, number>();
  const segments = new Map<number, number>();
  for (const [index, config] of nodes.entries()) {
    const path = `numa[${index}]`;
    yield* violationsOf(config, node, path, context);
    const id = config.guest_numa_id;
    for (const [index, zone] of (config.memory_zones ?? []).entries()) {
      const other = zones.get(zone);
      if (other !== undefined) {
        yield violation(
          `${path}.memory_zones[${index}]`,
          `Memory zone: ${zone} belongs to multiple NUMA nodes: ` +
            `${other} and ${id}`,
        );
      }
      zones.set(zone, id);
    }
    for (const [index, segment] of (config.pci_segments ?? []).entries()) {
      const problem = segmentProblem(context, segment, id, segments);
      if (problem !== undefined) {
        yield violation(`${path}.pci_segments[${index}]`, problem);
      }
      segments.set(segment, id);
    }
  }
}

function segmentProblem(
  context: RuleContext,
  segment: number,
  id: number,
  nodes: ReadonlyMap<number, number>,
): string | undefined {
  if (segment >= context.segments) return `Invalid PCI segment id: ${segment}`;
  if (segment === 0 && id !== 0) {
    return `Default PCI segment assigned to non-zero NUMA node ${id}`;
  }
  const other = nodes.get(segment);
  if (other === undefined) return undefined;
  return `PCI segment: ${segment} belongs to multiple NUMA nodes ${other} and ` +
    id;
}

/** The reasons why a boot cannot build the nodes. The VMM gives no reason. */
export function* unbuildableNodes(
  { numa: nodes = [], memory }: Config,
): Generator<Violation> {
  const ids = nodes.map(({ guest_numa_id }) => guest_numa_id);
  const zones = memory.zones?.map(({ id }) => id) ?? ["mem0"];
  for (const [index, config] of nodes.entries()) {
    const path = `numa[${index}]`;
    const { guest_numa_id: id, memory_zones = [], distances = [] } = config;
    if (ids.indexOf(id) < index) {
      yield violation(
        `${path}.guest_numa_id`,
        numa(`node ${id} is listed twice`),
      );
    }
    for (const [index, zone] of memory_zones.entries()) {
      if (zones.includes(zone)) continue;
      const problem = numa(`there is no memory zone ${zone}`);
      yield violation(`${path}.memory_zones[${index}]`, problem);
    }
    const to = distances.map(({ destination }) => destination);
    for (const [index, destination] of to.entries()) {
      const problem = !ids.includes(destination)
        ? `there is no node ${destination}`
        : to.indexOf(destination) < index
        ? `the distance to node ${destination} is listed twice`
        : undefined;
      if (problem === undefined) continue;
      yield violation(`${path}.distances[${index}].destination`, numa(problem));
    }
  }
}
