/** Tests for users' own state machines; needs no test runner. */
export { Random } from "@synod/core/testing";
export { type CheckName, StateMachineCheckError, type StepOfFailure } from "./check-error.js";
export { checkStateMachine, type StateMachineCheckOptions } from "./check-state-machine.js";
