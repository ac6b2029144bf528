import type { Kind } from '../case.ts';
import { ADVICE } from './advice.ts';
import { BASE_PATHS } from './base-paths.ts';
import { CERTIFICATES } from './certificates.ts';
import { LIVING_MEMBER } from './living-member.ts';
import { MAIN_ONE } from './main-one.ts';
import { MCP } from './mcp.ts';
import { NEWER_KINDS } from './newer-kinds.ts';
import { ONE_BACKEND } from './one-backend.ts';
import { RULES } from './rules.ts';
import { SHARED_SERVICE } from './shared-service.ts';
import { SIDECAR_PORTS } from './sidecar-ports.ts';
import { TENANTS } from './tenants.ts';

/** All cases, by kinds of fault. */
export const KINDS: readonly Kind[] = [
  BASE_PATHS,
  SIDECAR_PORTS,
  TENANTS,
  ONE_BACKEND,
  LIVING_MEMBER,
  MCP,
  MAIN_ONE,
  SHARED_SERVICE,
  CERTIFICATES,
  NEWER_KINDS,
  RULES,
  ADVICE,
];
